import { VetchError } from '../api/error.ts';
import { prefixesOverlap } from '../model/address.ts';
import type { Network, Subnet } from '../model/network.ts';
import { driverOf } from './drivers/registry.ts';
import { IntervalSet } from './interval-set.ts';
import { spanOf } from './span.ts';

/** A route of the host that is none of our own networks'. */
export interface HostRoute {
  /** CIDR; a default route's is `0.0.0.0/0` or `::/0`. */
  readonly destination: string;
  /** For the message: where it leads. */
  readonly device?: string;
}

/** Who has subnets: a network, or what is to become one. */
export type Claimant = Pick<Network, 'name' | 'driver' | 'options'> & {
  readonly subnets: readonly Pick<Subnet, 'cidr'>[];
};

/** What a new subnet must keep clear of. */
export interface Neighbours {
  readonly networks: Iterable<Claimant>;
  readonly hostRoutes: readonly HostRoute[];
}

/** A shorter route (a default one, a VPN's 0.0.0.0/1) says where to send what nobody has: it claims no addresses. */
const shortestClaim = 8;

/** What stays out of every subnet: the datapath drops these addresses, or the kernel gives them a meaning. */
const special = [
  ['0.0.0.0/8', 'addresses of "this network"'],
  ['127.0.0.0/8', 'loopback addresses'],
  ['224.0.0.0/3', 'multicast and reserved addresses'],
  ['::/8', 'loopback and reserved addresses'],
  ['fe80::/10', 'link-local addresses'],
  ['ff00::/8', 'multicast addresses'],
] as const;

/** @throws VetchError SUBNET_OVERLAP or INVALID: what `cidr` runs into */
export function checkOverlap(cidr: string, { networks, hostRoutes }: Neighbours): void {
  for (const [prefix, meaning] of special) {
    if (!prefixesOverlap(cidr, prefix)) continue;
    throw new VetchError(
      'INVALID',
      `subnet ${cidr} holds ${meaning} (${prefix})`,
      'choose a private subnet such as 10.88.0.0/16 or fd00:88::/64',
    );
  }
  for (const network of claiming(networks)) {
    const other = network.subnets.find((subnet) => prefixesOverlap(cidr, subnet.cidr));
    if (other !== undefined) {
      throw overlap(`subnet ${cidr} overlaps ${other.cidr} of network ${network.name}`);
    }
  }
  for (const { destination, device } of hostRoutes) {
    if (!claims(destination) || !prefixesOverlap(cidr, destination)) continue;
    throw overlap(`subnet ${cidr} overlaps the host's route to ${destination}${device ? ` (${device})` : ''}`);
  }
}

/** Every address that a default subnet may not have. */
export function claimed({ networks, hostRoutes }: Neighbours): IntervalSet {
  const taken = new IntervalSet();
  const add = (cidr: string): void => {
    const { first, last } = spanOf(cidr);
    taken.add(first, last);
  };
  for (const network of claiming(networks)) for (const { cidr } of network.subnets) add(cidr);
  for (const { destination } of hostRoutes) if (claims(destination)) add(destination);
  return taken;
}

/** Networks with a parent device live in that device's subnet, which is a host route. */
function* claiming(networks: Iterable<Claimant>): Iterable<Claimant> {
  for (const network of networks) {
    const { capabilities, ownsSubnets } = driverOf(network);
    if (!capabilities.parentDevice || ownsSubnets?.(network.options) === true) yield network;
  }
}

function claims(destination: string): boolean {
  const length = Number(destination.slice(destination.indexOf('/') + 1));
  return length >= shortestClaim;
}

function overlap(message: string): VetchError {
  return new VetchError('SUBNET_OVERLAP', message, 'choose another subnet with --subnet, or none for a free one');
}
