import type { Command } from 'commander';
import type { EndpointView, LabelEndpointRequest } from '../../api/schemas/endpoint.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { printEndpoint } from './print.ts';

export function endpointLabel(): Command {
  return command('label', 'Set labels (K=V) and remove them (K-)', 'vetch endpoint label web/c1 tier=front stage-')
    .argument('<ref>', 'NAME, NETWORK/NAME, an address, label:K=V, or a prefix of its id')
    .argument('<change...>', 'K=V to set, K- to remove')
    .addHelpText(
      'after',
      '\nLimits change live: vetch endpoint label web/c1 vetch.rate.egress=50Mbit (docs/bandwidth.md).',
    )
    .action(async (ref: string, changes: string[], _: object, self: Command) => {
      const context = contextOf(self);
      const request = labelChanges(changes);
      const endpoint = await context.client.call<EndpointView>(
        'PATCH',
        `/endpoints/${segment(ref)}/labels`,
        {},
        request,
      );
      await show(context, endpoint, printEndpoint);
    });
}

/** kubectl's form of changes. @throws Failure of wrong usage */
export function labelChanges(changes: readonly string[]): LabelEndpointRequest {
  const set: Record<string, string> = {};
  const remove: string[] = [];
  for (const change of changes) {
    const at = change.indexOf('=');
    if (at > 0) set[change.slice(0, at)] = change.slice(at + 1);
    else if (at < 0 && change.length > 1 && change.endsWith('-')) remove.push(change.slice(0, -1));
    else
      throw usageFailure(
        `label change ${JSON.stringify(change)} is neither K=V nor K-`,
        'see vetch endpoint label --help',
      );
  }
  const both = remove.find((key) => Object.hasOwn(set, key));
  if (both !== undefined) throw usageFailure(`label ${both} is both set and removed`, 'decide for one');
  return { set, remove };
}
