import type { Command } from 'commander';
import type { CreateServiceInput, ServiceView } from '../../api/schemas/service.ts';
import { command, contextOf, show } from '../command.ts';
import { collect, collectPair, wholeNumber } from '../values.ts';
import { printServices } from './print.ts';

interface Flags {
  readonly network: string;
  readonly vip: string;
  readonly port: string[];
  readonly select: Record<string, string>;
  readonly algorithm?: 'maglev' | 'random';
  readonly affinity?: number;
  readonly health?: string;
}

export function serviceCreate(): Command {
  return command(
    'create',
    'Put one address in front of the endpoints of a network that have certain labels',
    'vetch service create shop --network web --vip 10.88.0.200 --port 80:8080 --select app=shop',
  )
    .argument('<name>')
    .requiredOption('--network <network>', 'its name or a prefix of its id')
    .requiredOption('--vip <ip>', 'an address of the network that no endpoint has')
    .requiredOption('--port <spec>', 'PORT[:TARGETPORT][/tcp|udp]; may be repeated', collect)
    .requiredOption('--select <key=value>', 'a label that its endpoints have; may be repeated', collectPair)
    .option('--algorithm <name>', 'how new flows are spread: maglev or random (default: maglev)')
    .option('--affinity <seconds>', 'for how long a client keeps its backend', wholeNumber)
    .option('--health <check>', 'tcp, or http:PATH: who fails twice gets no new flows')
    .action(async (name: string, flags: Flags, self: Command) => {
      const context = contextOf(self);
      const request: CreateServiceInput = {
        ...{ name, network: flags.network, vip: flags.vip, ports: flags.port, select: flags.select },
        ...(flags.algorithm === undefined ? {} : { algorithm: flags.algorithm }),
        ...(flags.affinity === undefined ? {} : { affinity: flags.affinity }),
        ...(flags.health === undefined ? {} : { health: flags.health }),
      };
      const service = await context.client.call<ServiceView>('POST', '/services', {}, request);
      await show(context, service, (one) => printServices([one]));
    });
}
