import type { Command } from 'commander';
import type { DenyView } from '../../api/schemas/deny.ts';
import { command, contextOf, show } from '../command.ts';
import { printDeny } from './print.ts';

export function denyAdd(): Command {
  return command(
    'add',
    'Drop what comes from these prefixes, before anything else sees it',
    'vetch deny add 192.0.2.0/24 2001:db8::/32',
  )
    .argument('<cidr...>', 'prefixes or addresses')
    .action(async (cidrs: string[], _: object, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<DenyView[]>('POST', '/deny', {}, { cidrs }), printDeny);
    });
}
