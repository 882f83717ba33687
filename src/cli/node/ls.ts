import type { Command } from 'commander';
import type { NodeView } from '../../api/schemas/node.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, printTable } from '../table.ts';

/** The newest one; what comes after it says that the one before it is still in use. */
function keyOf({ wireguard = [], rotating }: NodeView): string {
  const key = wireguard.at(-1)?.publicKey ?? '';
  return rotating ? `${key} (changing)` : key;
}

const columns: readonly Column<NodeView>[] = [
  { title: 'NAME', cell: (node) => node.name },
  { title: 'VERSION', cell: (node) => node.version },
  { title: 'ADDRESSES', cell: (node) => node.addresses },
  { title: 'TUNNEL', cell: (node) => node.tunnel ?? '' },
  { title: 'KEY', cell: keyOf },
  { title: 'STARTED', cell: (node) => node.started },
];

export function printNodes(nodes: readonly NodeView[]): Promise<void> {
  return printTable(columns, nodes);
}

export function nodeLs(): Command {
  return command('ls', 'List the hosts of the cluster that are there', 'vetch node ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      const nodes = await context.client.call<NodeView[]>('GET', '/nodes');
      await show(context, nodes, printNodes);
    },
  );
}
