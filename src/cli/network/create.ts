import type { Command } from 'commander';
import type { CreateNetworkInput, NetworkView } from '../../api/schemas/network.ts';
import { command, contextOf, show } from '../command.ts';
import { collect, collectOption, collectPair, wholeNumber } from '../values.ts';
import { printNetwork } from './print.ts';

interface Flags {
  readonly driver?: string;
  readonly subnet?: string[];
  readonly gateway?: string[];
  readonly ipRange?: string;
  readonly auxAddress?: Record<string, string>;
  readonly ipv6?: boolean;
  readonly internal?: boolean;
  readonly mtu?: number;
  readonly opt?: Record<string, string>;
  readonly label?: Record<string, string>;
}

export function networkCreate(): Command {
  return command(
    'create',
    'Create a network',
    'vetch network create web --subnet 10.88.0.0/16\n  vetch network create lan --driver macvlan --opt parent=eth0 --subnet 192.0.2.0/24 --gateway 192.0.2.1',
  )
    .argument('<name>')
    .option('--driver <driver>', 'how it is built: bridge, overlay, macvlan, ipvlan, host or none (default: bridge)')
    .option('--subnet <cidr>', 'its subnet, one of each family; chosen when none is given', collect)
    .option('--gateway <ip>', "the host's address in a subnet; of macvlan and ipvlan the LAN's router", collect)
    .option('--ip-range <cidr>', 'where automatic addresses come from')
    .option('--aux-address <name=ip>', 'an address never to hand out', collectPair)
    .option('--ipv6', 'also an IPv6 subnet')
    .option('--internal', 'no way out and no way in')
    .option('--mtu <bytes>', 'of its devices', wholeNumber)
    .option('--opt <key=value>', 'a driver option; some need no value, as encrypted', collectOption)
    .option('--label <key=value>', 'a label', collectPair)
    .action(async (name: string, flags: Flags, self: Command) => {
      const context = contextOf(self);
      const request: CreateNetworkInput = {
        name,
        ...(flags.driver === undefined ? {} : { driver: flags.driver }),
        ...(flags.subnet ? { subnets: flags.subnet } : {}),
        ...(flags.gateway ? { gateways: flags.gateway } : {}),
        ...(flags.ipRange === undefined ? {} : { ipRange: flags.ipRange }),
        ...(flags.auxAddress ? { auxAddresses: flags.auxAddress } : {}),
        ...(flags.ipv6 ? { ipv6: true } : {}),
        ...(flags.internal ? { internal: true } : {}),
        ...(flags.mtu === undefined ? {} : { mtu: flags.mtu }),
        ...(flags.opt ? { options: flags.opt } : {}),
        ...(flags.label ? { labels: flags.label } : {}),
      };
      const network = await context.client.call<NetworkView>('POST', '/networks', {}, request);
      await show(context, network, printNetwork);
    });
}
