import type { Command } from 'commander';
import type { ConntrackView, TupleEnd } from '../../api/schemas/conntrack.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, printTable } from '../table.ts';
import { filterQuery, withFilters } from './filters.ts';

const columns: readonly Column<ConntrackView>[] = [
  { title: 'PROTOCOL', cell: (flow) => flow.protocol },
  { title: 'SOURCE', cell: (flow) => end(flow.source) },
  { title: 'DESTINATION', cell: (flow) => end(flow.destination) },
  { title: 'TRANSLATED SOURCE', cell: (flow) => (flow.translated ? end(flow.translated.source) : '') },
  { title: 'TRANSLATED DESTINATION', cell: (flow) => (flow.translated ? end(flow.translated.destination) : '') },
  { title: 'STATE', cell: (flow) => flow.state },
  { title: 'NETWORK', cell: (flow) => flow.network ?? '' },
  { title: 'PACKETS', right: true, cell: (flow) => flow.packets },
  { title: 'BYTES', right: true, cell: (flow) => flow.bytes },
  { title: 'AGE', right: true, cell: (flow) => `${Math.round(flow.ageSeconds)}s` },
  { title: 'EXPIRES', right: true, cell: (flow) => `${Math.round(flow.expiresSeconds)}s` },
];

export function conntrackLs(): Command {
  const ls = command(
    'ls',
    'List the flows that conntrack knows',
    'vetch conntrack ls --endpoint web/c1 --protocol tcp',
  );
  return withFilters(ls).action(async (flags: Record<string, string[]>, self: Command) => {
    const context = contextOf(self);
    const flows = await context.client.call<ConntrackView[]>('GET', '/conntrack', filterQuery(flags));
    await show(context, flows, (rows) => printTable(columns, rows));
  });
}

function end({ ip, port }: TupleEnd): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
