import type { Command } from 'commander';
import { segment } from '../client.ts';
import { command, contextOf } from '../command.ts';

export function policyDelete(): Command {
  return command('delete', 'Delete a policy document', 'vetch policy delete -n shop NetworkPolicy/allow-web')
    .argument('<name>', 'NAME, or KIND/NAME')
    .option('-n, --namespace <namespace>', 'of which namespace')
    .action(async (name: string, { namespace }: { namespace?: string }, self: Command) => {
      await contextOf(self).client.call('DELETE', `/policies/${segment(name)}`, { namespace });
    });
}
