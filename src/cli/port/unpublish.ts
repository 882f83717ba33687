import type { Command } from 'commander';
import type { PortView } from '../../api/schemas/port.ts';
import { segment } from '../client.ts';
import { command, contextOf, show } from '../command.ts';
import { printPorts } from './print.ts';

export function portUnpublish(): Command {
  return command('unpublish', 'Take published ports back', 'vetch port unpublish web/c1 127.0.0.1:8080:80/tcp')
    .argument('<ref>', 'NAME, NETWORK/NAME, an address, label:K=V, or a prefix of its id')
    .argument('<spec>', '[ip:][hostPort[-end]:]containerPort[-end][/tcp|udp|sctp]')
    .action(async (ref: string, spec: string, _: object, self: Command) => {
      const context = contextOf(self);
      const ports = await context.client.call<PortView[]>('DELETE', `/endpoints/${segment(ref)}/ports`, { spec });
      await show(context, ports, printPorts);
    });
}
