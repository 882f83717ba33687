import type { Command } from 'commander';
import type { DenyView } from '../../api/schemas/deny.ts';
import { command, contextOf, show } from '../command.ts';
import { printDeny } from './print.ts';

export function denyRm(): Command {
  return command('rm', 'Take prefixes off the deny list', 'vetch deny rm 192.0.2.0/24')
    .argument('<cidr...>', 'prefixes as they were added')
    .action(async (cidrs: string[], _: object, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<DenyView[]>('DELETE', '/deny', {}, { cidrs }), printDeny);
    });
}
