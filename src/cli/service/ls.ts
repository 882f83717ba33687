import type { Command } from 'commander';
import type { ServiceView } from '../../api/schemas/service.ts';
import { command, contextOf, show } from '../command.ts';
import { printServices } from './print.ts';

export function serviceLs(): Command {
  return command('ls', 'List the services and their backends', 'vetch service ls').action(
    async (_: object, self: Command) => {
      const context = contextOf(self);
      await show(context, await context.client.call<ServiceView[]>('GET', '/services'), printServices);
    },
  );
}
