import type { Command } from 'commander';
import type { NetworkView } from '../../api/schemas/network.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { printNetwork } from './print.ts';

export function networkInspect(): Command {
  return command('inspect', 'Show a network', 'vetch network inspect web --json')
    .argument('<name>', "its name, or an id's prefix")
    .action(async (name: string, _: object, self: Command) => {
      const context = contextOf(self);
      const network = await context.client.call<NetworkView>('GET', `/networks/${segment(name)}`);
      await show(context, network, printNetwork);
    });
}
