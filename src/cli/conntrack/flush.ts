import type { Command } from 'commander';
import type { ConntrackFlushed } from '../../api/schemas/conntrack.ts';
import { command, contextOf, show } from '../command.ts';
import { stdout } from '../terminal.ts';
import { filterQuery, withFilters } from './filters.ts';

export function conntrackFlush(): Command {
  const flush = command(
    'flush',
    'Forget the flows that the filters name; all of them without one',
    'vetch conntrack flush --endpoint web/c1',
  );
  return withFilters(flush).action(async (flags: Record<string, string[]>, self: Command) => {
    const context = contextOf(self);
    const result = await context.client.call<ConntrackFlushed>('DELETE', '/conntrack', filterQuery(flags));
    await show(context, result, ({ flushed }) => stdout.write(`${flushed} flows forgotten\n`));
  });
}
