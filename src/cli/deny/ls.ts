import type { Command } from 'commander';
import type { DenyView } from '../../api/schemas/deny.ts';
import { command, contextOf, show } from '../command.ts';
import { printDeny } from './print.ts';

export function denyLs(): Command {
  return command('ls', 'Show the deny list and what each prefix dropped', 'vetch deny ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<DenyView[]>('GET', '/deny'), printDeny);
    },
  );
}
