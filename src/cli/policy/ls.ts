import type { Command } from 'commander';
import type { PolicyView } from '../../api/schemas/policy.ts';
import { command, contextOf, show } from '../command.ts';
import { printPolicies } from './print.ts';

export function policyLs(): Command {
  return command('ls', 'List the policy documents and what they select', 'vetch policy ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<PolicyView[]>('GET', '/policies'), printPolicies);
    },
  );
}
