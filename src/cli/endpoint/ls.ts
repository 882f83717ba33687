import type { Command } from 'commander';
import type { EndpointView } from '../../api/schemas/endpoint.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, pairs, printTable, shortId } from '../table.ts';
import { portText } from './print.ts';

const columns: readonly Column<EndpointView>[] = [
  { title: 'NAME', cell: (endpoint) => endpoint.name },
  { title: 'NETWORK', cell: (endpoint) => endpoint.network },
  { title: 'NODE', cell: (endpoint) => endpoint.node },
  { title: 'ID', cell: (endpoint) => shortId(endpoint.id) },
  { title: 'ADDRESSES', cell: (endpoint) => endpoint.addresses },
  { title: 'MAC', cell: (endpoint) => endpoint.mac },
  { title: 'DEVICE', cell: (endpoint) => endpoint.hostIfname },
  { title: 'IDENTITY', right: true, cell: (endpoint) => endpoint.identity },
  { title: 'LABELS', cell: (endpoint) => pairs(endpoint.labels) },
  { title: 'PORTS', cell: (endpoint) => endpoint.ports.map(portText) },
];

export function endpointLs(): Command {
  return command('ls', 'List the endpoints', 'vetch endpoint ls').action(async (_: object, self: Command) => {
    const context = contextOf(self);
    const endpoints = await context.client.call<EndpointView[]>('GET', '/endpoints');
    await show(context, endpoints, (rows) => printTable(columns, rows));
  });
}
