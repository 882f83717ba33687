import type { NodeView } from '../../api/schemas/node.ts';
import type { Context } from '../context.ts';
import { ownNode } from '../own-node.ts';

/** The hosts that are there, this one among them, by their names. */
export function listNodes(context: Context): NodeView[] {
  const all = new Map(context.state.index.nodes).set(context.options.node, ownNode(context));
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
