import type { Command } from 'commander';
import type { NodeView } from '../../api/schemas/node.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<NodeView>[] = [
  { title: 'NAME', cell: (node) => node.name },
  { title: 'VERSION', cell: (node) => node.version },
  { title: 'ADDRESSES', cell: (node) => node.addresses },
  { title: 'TUNNEL', cell: (node) => node.tunnel ?? '' },
  { title: 'STARTED', cell: (node) => node.started },
];

export function nodeLs(): Command {
  return command('ls', 'List the hosts of the cluster that are there', 'vetch node ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      const nodes = await context.client.call<NodeView[]>('GET', '/nodes');
      await show(context, nodes, (rows) => printTable(columns, rows));
    },
  );
}
