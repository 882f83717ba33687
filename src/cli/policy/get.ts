import type { Command } from 'commander';
import type { PolicyDocumentView } from '../../api/schemas/policy.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { stdout } from '../terminal.ts';

export function policyGet(): Command {
  return command('get', 'Print a policy document as it was applied', 'vetch policy get -n shop allow-web')
    .argument('<name>', 'NAME, or KIND/NAME')
    .option('-n, --namespace <namespace>', 'of which namespace')
    .action(async (name: string, { namespace }: { namespace?: string }, self: Command) => {
      const context = contextOf(self);
      const path = `/policies/${segment(name)}`;
      const document = await context.client.call<PolicyDocumentView>('GET', path, { namespace });
      await show(context, document, async () => {
        const { stringify } = await import('yaml');
        await stdout.write(stringify(document));
      });
    });
}
