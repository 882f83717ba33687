import { withoutLength } from '../model/address.ts';
import type { ClusterChanges } from '../model/cluster.ts';
import type { PolicyUpdate } from '../policy/compiler.ts';
import type { Context, PolicyContext } from './context.ts';

type Update = { [Part in 'documents' | 'namespaces']: NonNullable<PolicyUpdate[Part]> };

export type FollowContext = PolicyContext &
  Pick<Context, 'applyRemotes' | 'forgetAddresses'> & {
    readonly addresses: Pick<Context['addresses'], 'follow'>;
    readonly networks: Pick<Context['networks'], 'follow'>;
  };

/** Has this host do what the others have changed. What it cannot enforce it says, and tries again with each change. */
export class ClusterFollowing implements AsyncDisposable {
  readonly #context: FollowContext;
  /** Changes that this host could not enforce, and why. */
  readonly #refused = new Map<string, { readonly update: Update; readonly reason: string }>();

  constructor(context: FollowContext) {
    this.#context = context;
    context.cluster.follow((changes) => context.lock.run(() => this.#apply(changes)));
  }

  /** What comes from now on is learned at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.cluster.follow(() => undefined);
    await this.#context.lock.run(() => undefined);
  }

  /** For `vetch status`. */
  get warnings(): readonly string[] {
    return [...this.#refused].map(([what, { reason }]) => {
      return `${what} of the cluster is not enforced here as the other hosts have it: ${reason}`;
    });
  }

  /** The caller holds the lock. */
  async #apply(changes: ClusterChanges): Promise<void> {
    this.#context.addresses.follow(changes.addresses);
    await this.#context.networks.follow(changes.networks);
    await this.#followPresence(changes);
    await this.#followPolicies(changes);
  }

  /** What other hosts tell of themselves; a host that starts again tells much of what is known. */
  async #followPresence({ nodes, endpoints }: ClusterChanges): Promise<void> {
    const { applyRemotes, forgetAddresses, log, state } = this.#context;
    const { index } = state;
    const changedNodes = [...nodes].filter(([name, node]) => !same(index.nodes.get(name), node));
    const changedEndpoints = [...endpoints].filter(([key, endpoint]) => !same(index.remotes.get(key), endpoint));
    for (const [name, node] of changedNodes) {
      const known = index.nodes.has(name);
      index.putNode(name, node);
      if (!node || !known) log.info({ node: name }, `host of the cluster is ${node ? 'there' : 'gone'}`);
    }
    const gone = changedEndpoints.flatMap(([key, endpoint]) => (endpoint ? [] : (index.remotes.get(key) ?? [])));
    for (const [key, endpoint] of changedEndpoints) index.putRemote(key, endpoint);
    if (changedNodes.length + changedEndpoints.length === 0) return;
    await applyRemotes({ nodes: changedNodes.map(([name]) => name), remotes: changedEndpoints.map(([key]) => key) });
    // What clients outside of the cluster said to it by this host.
    for (const { addresses, network, ports } of gone) {
      const number = index.networks.get(network)?.number;
      if (number === undefined || !ports.some(({ scope }) => scope === 'cluster')) continue;
      await forgetAddresses(number, addresses.map(withoutLength));
    }
  }

  async #followPolicies({ policies, namespaces }: ClusterChanges): Promise<void> {
    if (policies.size + namespaces.size === 0) return;
    const earlier = [...this.#refused.values()].map(({ update }) => update);
    this.#refused.clear();
    const all: Update = {
      documents: new Map([...earlier.flatMap(({ documents }) => [...documents]), ...policies]),
      namespaces: new Map([...earlier.flatMap((update) => [...update.namespaces]), ...namespaces]),
    };
    if (await this.#tryAll(all)) return;
    // What frees goes before what needs.
    const documents = [...all.documents].sort(([, a], [, b]) => Number(a !== undefined) - Number(b !== undefined));
    for (const [name, labels] of all.namespaces) {
      await this.#tryOne(`namespace ${name}`, { documents: new Map(), namespaces: new Map([[name, labels]]) });
    }
    for (const [key, document] of documents) {
      await this.#tryOne(`document ${key}`, { documents: new Map([[key, document]]), namespaces: new Map() });
    }
  }

  async #tryAll(update: Update): Promise<boolean> {
    try {
      await this.#enforce(update);
      return true;
    } catch {
      return false;
    }
  }

  async #tryOne(what: string, update: Update): Promise<void> {
    try {
      await this.#enforce(update);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#refused.set(what, { update, reason });
      this.#context.log.error({ err: error, what }, 'cannot enforce what another host has changed');
    }
  }

  async #enforce(update: Update): Promise<void> {
    const { log, policy, state } = this.#context;
    const { documents, namespaces } = update;
    await policy.change(update);
    for (const [key, document] of documents) {
      if (document) state.index.putPolicy(document);
      else state.index.deletePolicy(key);
    }
    for (const [name, labels] of namespaces) state.index.putNamespace(name, labels);
    log.info(
      { documents: [...documents.keys()], namespaces: [...namespaces.keys()] },
      'policy changed by another host',
    );
  }
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
