import { randomBytes } from 'node:crypto';
import { VetchError } from '../api/error.ts';
import type { CreateNetworkRequest } from '../api/schemas/network.ts';
import type { Network, Owner } from '../model/network.ts';
import type { Driver } from './drivers/contract.ts';
import { isEncrypted } from './drivers/encryption.ts';
import { driverNamed } from './drivers/registry.ts';
import { largestMtu, overVxlan, overWireguard, smallestMtu } from './mtu.ts';
import { checkNetworkName } from './names.ts';
import { NumberPool } from './number-pool.ts';
import type { HostRoute } from './overlap.ts';
import { familiesOf, planSubnets, type SubnetSources } from './plan-subnets.ts';

/**
 * Numbers index the array `networks`; 0 stands for the host's own wire. Those of networks that span hosts are theirs on all
 * hosts, so no host gives one to a network of its own (FIRST_CLUSTER_NETWORK of bpf/abi/config.h).
 */
export const networkNumbers = { own: { first: 1, last: 2047 }, cluster: { first: 2048, last: 4095 } } as const;
const defaultMtu = 1500;

/** What a new network is planned among. */
export interface NetworkContext extends Partial<SubnetSources> {
  readonly networks: Iterable<Network>;
  /** Without the routes of our own networks. */
  readonly hostRoutes: readonly HostRoute[];
  /** 64 hex digits; random unless an engine has given one. */
  readonly id?: string;
  /** Bytes; what a network on a parent device has unless told otherwise: the device's. */
  readonly parentMtu?: number;
  /** Bytes; what a tunnel between hosts takes in one piece. Unknown: what one over Ethernet and IPv4 does. */
  readonly tunnelMtu?: number;
  /** Likewise, of a network that is encrypted. */
  readonly encryptedMtu?: number;
  /** Default `vetch`. */
  readonly owner?: Owner;
  readonly now?: Date;
}

/**
 * The network that a request asks for, numbered, with its subnets chosen where none is given.
 *
 * @throws VetchError INVALID, ALREADY_EXISTS, SUBNET_OVERLAP, UNSUPPORTED, or MAP_FULL
 */
export function planNetwork(request: CreateNetworkRequest, context: NetworkContext): Network {
  const networks = [...context.networks];
  const id = context.id ?? randomBytes(32).toString('hex');
  checkNetworkName(request.name);
  if (networks.some(({ name }) => name === request.name)) {
    throw new VetchError(
      'ALREADY_EXISTS',
      `network ${request.name} already exists`,
      `choose another name, or remove it with \`vetch network rm ${request.name}\``,
    );
  }
  const driver = chosenDriver(request);
  driver.checkNetworkOptions(request.options, request.internal);
  checkCapabilities(request, driver);
  driver.checkNeighbours?.(request.options, networks);
  const encrypted = isEncrypted({ driver: driver.name, options: request.options });
  const sources = { ...context, seed: context.seed ?? id };
  // The LAN's own subnet is a route of the host; one that is chosen here keeps clear of all.
  const shared = request.subnets.length > 0 && sharesSubnets(driver, request.options);
  const neighbours = { networks, hostRoutes: shared ? [] : context.hostRoutes };
  const subnets = driver.capabilities.addressing ? planSubnets(request, neighbours, sources) : [];
  const { first, last } = driver.capabilities.multiHost ? networkNumbers.cluster : networkNumbers.own;
  const numbers = new NumberPool(driver.capabilities.multiHost ? 'networks that span hosts' : 'networks', first, last);
  for (const { number } of networks) numbers.take(number);
  return {
    id,
    number: numbers.next(),
    name: request.name,
    driver: driver.name,
    owner: context.owner ?? 'vetch',
    subnets,
    mtu: chosenMtu(
      request.mtu,
      driver.defaults(request.options).mtu,
      subnets.map(({ cidr }) => cidr),
      carrierOf(driver, encrypted, context),
      encrypted ? overWireguard(defaultMtu, 4) : driver.capabilities.multiHost ? overVxlan(defaultMtu, 4) : defaultMtu,
    ),
    internal: request.internal || driver.isInternal?.(request.options) === true,
    options: request.options,
    labels: request.labels,
    created: (context.now ?? new Date()).toISOString(),
  };
}

/** What carries a network's packets, and how large they may be for it. */
interface Carrier {
  readonly name: string;
  readonly mtu: number;
}

function carrierOf({ capabilities }: Driver, encrypted: boolean, context: NetworkContext): Carrier | undefined {
  const { parentMtu } = context;
  if (capabilities.multiHost) {
    const mtu = encrypted ? context.encryptedMtu : context.tunnelMtu;
    return mtu === undefined ? undefined : { name: encrypted ? 'the encrypted tunnel' : 'the tunnel', mtu };
  }
  if (!capabilities.parentDevice || parentMtu === undefined) return undefined;
  return { name: 'its parent device', mtu: parentMtu };
}

function sharesSubnets({ capabilities, ownsSubnets }: Driver, options: Readonly<Record<string, string>>): boolean {
  return capabilities.parentDevice && ownsSubnets?.(options) !== true;
}

/** `vetch.driver` says it where an engine has taken the driver's name for the plugin's. */
function chosenDriver(request: CreateNetworkRequest): Driver {
  const option = request.options['vetch.driver'];
  if (option === undefined || option === request.driver) return driverNamed(request.driver);
  if (request.driver !== 'bridge') {
    throw new VetchError(
      'INVALID',
      `driver ${request.driver} and option vetch.driver=${option} contradict each other`,
      'give one of them',
    );
  }
  return driverNamed(option);
}

function checkCapabilities(request: CreateNetworkRequest, { name, capabilities }: Driver): void {
  const asksForAddresses = request.subnets.length > 0 || request.gateways.length > 0 || request.ipRange !== undefined;
  if (!capabilities.addressing && asksForAddresses) {
    throw new VetchError(
      'INVALID',
      `a network of driver ${name} has no subnets`,
      'leave out subnet, gateway and range; with Docker give --ipam-driver null',
    );
  }
  if (!capabilities.internal && request.internal) {
    throw new VetchError('INVALID', `a network of driver ${name} cannot be internal`, 'leave out --internal');
  }
}

function chosenMtu(
  asked: number | undefined,
  option: number | undefined,
  cidrs: readonly string[],
  carrier: Carrier | undefined,
  otherwise: number,
): number {
  if (asked !== undefined && option !== undefined && asked !== option) {
    throw new VetchError(
      'INVALID',
      `mtu ${asked} and option com.docker.network.driver.mtu=${option} contradict each other`,
      'give one of them',
    );
  }
  const mtu = asked ?? option ?? carrier?.mtu ?? otherwise;
  if (carrier !== undefined && mtu > carrier.mtu) {
    throw new VetchError('INVALID', `mtu ${mtu} is larger than ${carrier.name} takes`, `choose ${carrier.mtu} or less`);
  }
  const smallest = smallestMtu[familiesOf(cidrs).includes(6) ? 6 : 4];
  if (Number.isInteger(mtu) && mtu >= smallest && mtu <= largestMtu) return mtu;
  throw new VetchError(
    'INVALID',
    `mtu ${mtu} is not ${smallest} to ${largestMtu}${smallest === smallestMtu[6] ? ', which IPv6 needs' : ''}`,
    `choose ${smallest} to ${largestMtu}, or none for ${carrier?.mtu ?? otherwise}`,
  );
}
