import type { Command } from 'commander';
import type { LearnedView } from '../../api/schemas/names.ts';
import { command, contextOf, show } from '../command.ts';
import { type Column, printTable } from '../table.ts';

const columns: readonly Column<LearnedView>[] = [
  { title: 'ENDPOINT', cell: ({ network, endpoint }) => `${network}/${endpoint}` },
  { title: 'ADDRESS', cell: ({ address }) => address },
  { title: 'TTL', right: true, cell: ({ ttl }) => (ttl === null ? 'over' : `${ttl}s`) },
  { title: 'NAMES', cell: ({ names }) => names },
];

export function policyNames(): Command {
  return command(
    'names',
    'List the addresses that domain names have opened to endpoints; TTL over: to connections that are there alone',
    'vetch policy names',
  ).action(async (_: object, self: Command) => {
    const context = contextOf(self);
    const learned = await context.client.call<LearnedView[]>('GET', '/names/learned');
    await show(context, learned, (rows) => printTable(columns, rows));
  });
}
