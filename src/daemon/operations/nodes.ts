import { VetchError } from '../../api/error.ts';
import type { NodeView } from '../../api/schemas/node.ts';
import type { Node } from '../../model/cluster.ts';
import { changeCluster } from '../change-cluster.ts';
import type { Context } from '../context.ts';
import { ownNode } from '../own-node.ts';

/** The hosts that are there, this one among them, by their names. */
export function listNodes(context: Context): NodeView[] {
  const all = new Map(context.state.index.nodes).set(context.options.node, ownNode(context));
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).map(viewOf);
}

function viewOf({ movedTo: _, ...node }: Node): NodeView {
  return { ...node, rotating: (node.wireguard?.length ?? 0) > 1 };
}

/** Has this host use a new key from now on. @throws VetchError IN_USE, UNSUPPORTED */
export async function rotateKey(context: Context): Promise<NodeView> {
  await context.rotation.begin();
  return viewOf(ownNode(context));
}

/** Records of one transaction; the store takes 120. */
const portion = 100;

/**
 * Gives back the addresses that a host held which is gone for good.
 *
 * @throws VetchError IN_USE: it is there; NOT_FOUND: it holds nothing; UNAVAILABLE
 */
export async function forgetNode(context: Context, name: string): Promise<void> {
  const { addresses, cluster, log, options, state } = context;
  for (let first = true; ; first = false) {
    const rest = await changeCluster(context, async () => {
      if (name === options.node || state.index.nodes.has(name)) {
        const remedy = 'forget a host that is gone: its containers would go on with addresses that others get';
        throw new VetchError('IN_USE', `host ${name} is there`, remedy);
      }
      const held = addresses.of(name).slice(0, portion);
      if (held.length === 0) return 0;
      await cluster.transaction((writer) => {
        for (const one of held) writer.deleteAddress(one);
      });
      addresses.forget(held);
      log.info({ node: name, addresses: held.length }, 'forgot what a host held');
      return held.length;
    });
    if (rest === portion) continue;
    if (first && rest === 0) {
      throw new VetchError('NOT_FOUND', `host ${name} is not known, or holds no address`, 'see `vetch node ls`');
    }
    return;
  }
}
