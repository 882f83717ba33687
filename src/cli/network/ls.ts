import type { Command } from 'commander';
import type { NetworkView } from '../../api/schemas/network.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, printTable, shortId } from '../table.ts';

const columns: readonly Column<NetworkView>[] = [
  { title: 'NAME', cell: (network) => network.name },
  { title: 'ID', cell: (network) => shortId(network.id) },
  { title: 'DRIVER', cell: (network) => network.driver },
  { title: 'SUBNETS', cell: (network) => network.subnets },
  { title: 'GATEWAYS', cell: (network) => network.gateways },
  { title: 'MTU', right: true, cell: (network) => network.mtu },
  { title: 'INTERNAL', cell: (network) => (network.internal ? 'yes' : 'no') },
  { title: 'ENDPOINTS', right: true, cell: (network) => network.endpoints.length },
];

export function networkLs(): Command {
  return command('ls', 'List the networks', 'vetch network ls').action(async (_: object, self: Command) => {
    const context = contextOf(self);
    const networks = await context.client.call<NetworkView[]>('GET', '/networks');
    await show(context, networks, (rows) => printTable(columns, rows));
  });
}
