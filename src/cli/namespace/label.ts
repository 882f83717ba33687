import type { Command } from 'commander';
import type { NamespaceView } from '../../api/schemas/policy.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { labelChanges } from '../endpoint/label.ts';
import { printFields } from '../fields.ts';

export function namespaceLabel(): Command {
  return command(
    'label',
    "Set labels (K=V) of one of policy's namespaces, and remove them (K-)",
    'vetch namespace label shop team=red stage-',
  )
    .argument('<namespace>', 'the label vetch.io/namespace, else the compose project, else the network')
    .argument('<change...>', 'K=V to set, K- to remove')
    .action(async (namespace: string, changes: string[], _: object, self: Command) => {
      const context = contextOf(self);
      const path = `/namespaces/${segment(namespace)}/labels`;
      const view = await context.client.call<NamespaceView>('PATCH', path, {}, labelChanges(changes));
      await show(context, view, ({ name, labels }) =>
        printFields({ name, labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`) }),
      );
    });
}
