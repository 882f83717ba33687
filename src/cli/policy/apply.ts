import type { Command } from 'commander';
import type { PolicyView } from '../../api/schemas/policy.ts';
import { command, contextOf, show } from '../command.ts';
import { readText } from '../read-text.ts';
import { printPolicies } from './print.ts';

export function policyApply(): Command {
  return command('apply', 'Add or replace the documents of a file, all or none', 'vetch policy apply -f policies.yaml')
    .requiredOption('-f, --file <file>', 'YAML or JSON documents; - for standard input')
    .action(async ({ file }: { file: string }, self: Command) => {
      const context = contextOf(self);
      const request = { text: readText(file), file: file === '-' ? '<stdin>' : file };
      await show(context, await context.client.call<PolicyView[]>('POST', '/policies', {}, request), printPolicies);
    });
}
