import { VetchError } from '../../api/error.ts';
import { canonicalPrefix, familyOf } from '../../model/address.ts';
import type { Network, Subnet } from '../../model/network.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import type { HeldPool, PoolWish } from '../../network/held-pools.ts';

/**
 * What an engine is told of an IPv4 subnet that it does not name. It asks for another one, without end, as long as the host
 * has a route into what it is given, and to a network that is there already the host has one; of this alone every version
 * says that it does not compare it. IPv6 subnets are compared with the name servers of the host's resolv.conf alone.
 */
const anything = '0.0.0.0/0';

/**
 * The subnet of the cluster's network that a pool is asked for; none while that network is not there: its subnet is
 * chosen then.
 *
 * @throws VetchError INVALID: the network has another one
 */
export function poolOfCluster(
  { pool, subPool, ipv6, network: name }: PoolWish,
  networks: { networkNamed(name: string): Network | undefined },
): Pick<HeldPool, 'cidr' | 'told'> | undefined {
  const network = name === undefined ? undefined : networks.networkNamed(name);
  if (!network) return undefined;
  if (!spansHosts(network)) {
    throw new VetchError(
      'INVALID',
      `network ${name} is of driver ${network.driver}, and this host's own`,
      'choose another vetch.network: one of driver overlay, or one that is not there yet',
    );
  }
  const family = pool === undefined ? (ipv6 ? 6 : 4) : familyOf(pool);
  const subnet = network.subnets.find(({ cidr }) => familyOf(cidr) === family);
  if (!subnet) {
    const remedy = family === 6 ? 'leave out --ipv6' : 'choose a network that has, or give --ipv4=false';
    throw new VetchError('INVALID', `network ${name} of the cluster has no IPv${family} subnet`, remedy);
  }
  const { cidr, range } = subnet;
  if (pool !== undefined && canonicalPrefix(pool) !== cidr) {
    throw new VetchError('INVALID', `network ${name} of the cluster has ${cidr}, not ${pool}`, `give --subnet ${cidr}`);
  }
  if (subPool !== undefined && canonicalPrefix(subPool) !== range) {
    throw new VetchError(
      'INVALID',
      `network ${name} of the cluster has the range ${range ?? cidr}, not ${subPool}`,
      'leave out --ip-range',
    );
  }
  return pool === undefined && family === 4 ? { cidr, told: anything } : { cidr };
}

/** @throws VetchError INVALID: another one is asked for */
export function theGateway({ name }: Network, { gateway }: Subnet, asked: string | undefined): string {
  if (asked === undefined || asked === gateway) return gateway;
  throw new VetchError(
    'INVALID',
    `network ${name} of the cluster has the gateway ${gateway}, not ${asked}`,
    'leave out --gateway',
  );
}
