import type { Command } from 'commander';
import type { AttachEndpointInput, EndpointView } from '../../api/schemas/endpoint.ts';
import { command, contextOf, show } from '../command.ts';
import { usageFailure } from '../failure.ts';
import { collect, collectPair } from '../values.ts';
import { printEndpoint } from './print.ts';

interface Flags {
  readonly netns?: string;
  readonly name?: string;
  readonly ip?: string[];
  readonly mac?: string;
  readonly ifname?: string;
  readonly cgroup?: string;
  readonly label?: Record<string, string>;
  readonly opt?: Record<string, string>;
  readonly publish?: string[];
}

export function endpointAttach(): Command {
  return command(
    'attach',
    'Attach a network namespace to a network, or a cgroup to a host network',
    'vetch endpoint attach web --netns /var/run/netns/c1 --name c1 --publish 8080:80\n  vetch endpoint attach host --cgroup /sys/fs/cgroup/system.slice/nginx.service --name nginx',
  )
    .argument('<network>', "its name, or an id's prefix")
    .option('--netns <path>', "the sandbox's network namespace; of a host network none")
    .option('--name <name>', 'unique in its network')
    .option('--ip <ip>', 'its address, one of each family; chosen when none is given', collect)
    .option('--mac <mac>', 'its MAC address')
    .option('--ifname <name>', 'of the device inside')
    .option('--cgroup <path>', "the sandbox's cgroup; an endpoint of a host network is what runs in it")
    .option('--label <key=value>', 'a label', collectPair)
    .option('--opt <key=value>', 'a driver option', collectPair)
    .option('--publish <spec>', '[ip:][hostPort[-end]:]containerPort[-end][/tcp|udp|sctp]', collect)
    .addHelpText(
      'after',
      "\nNames: programs find them when their resolv.conf names the network's gateway (docs/names.md).",
    )
    .action(async (network: string, flags: Flags, self: Command) => {
      const context = contextOf(self);
      const { netns, name, mac, ifname, cgroup } = flags;
      if (netns === undefined && cgroup === undefined) {
        throw usageFailure('endpoint attach needs --netns, or --cgroup', 'see vetch endpoint attach --help');
      }
      const request: AttachEndpointInput = {
        network,
        ...(netns === undefined ? {} : { netns }),
        ...(name === undefined ? {} : { name }),
        ...(mac === undefined ? {} : { mac }),
        ...(ifname === undefined ? {} : { ifname }),
        ...(cgroup === undefined ? {} : { cgroup }),
        ...(flags.ip ? { addresses: flags.ip } : {}),
        ...(flags.label ? { labels: flags.label } : {}),
        ...(flags.opt ? { options: flags.opt } : {}),
        ...(flags.publish ? { publish: flags.publish } : {}),
      };
      const endpoint = await context.client.call<EndpointView>('POST', '/endpoints', {}, request);
      await show(context, endpoint, printEndpoint);
    });
}
