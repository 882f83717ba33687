import type { Command } from 'commander';
import type { EndpointView } from '../../api/schemas/endpoint.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { printEndpoint } from './print.ts';

export function endpointInspect(): Command {
  return command('inspect', 'Show an endpoint', 'vetch endpoint inspect web/c1 --json')
    .argument('<ref>', 'NAME, NETWORK/NAME, an address, label:K=V, or a prefix of its id')
    .action(async (ref: string, _: object, self: Command) => {
      const context = contextOf(self);
      const endpoint = await context.client.call<EndpointView>('GET', `/endpoints/${segment(ref)}`);
      await show(context, endpoint, printEndpoint);
    });
}
