import type { Command } from 'commander';
import type { PortView } from '../../api/schemas/port.ts';
import { command, contextOf, show } from '../command.ts';
import { printPorts } from './print.ts';

export function portLs(): Command {
  return command('ls', 'List the published ports', 'vetch port ls').action(async (_: object, self: Command) => {
    const context = contextOf(self);
    await show(context, await context.client.call<PortView[]>('GET', '/ports'), printPorts);
  });
}
