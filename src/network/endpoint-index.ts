import { withoutLength } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { AddressPool } from './address-pool.ts';
import { planOf } from './drivers/registry.ts';
import { NumberPool } from './number-pool.ts';
import { PortTable } from './port-table.ts';
import { addressNumber } from './span.ts';

/** Numbers index the map `quotas`. */
export const endpointNumbers = { first: 1, last: 16383 } as const;

/** What is taken in one network. */
export interface NetworkIndex {
  readonly network: Network;
  /** One of each family that the network has. */
  readonly pools: readonly AddressPool[];
  /** Ids by name. */
  readonly names: Map<string, string>;
  readonly macs: Set<string>;
  /** Names of endpoints by their cgroups, of those that have one. */
  readonly cgroups: Map<string, string>;
}

/**
 * What all endpoints have taken, so that planning one looks at none of the others.
 *
 * It is built once from the stored intent and then told of each change after that change is stored. Planning reads it and
 * takes nothing: between a plan and its `addEndpoint` no other plan may be made.
 */
export class EndpointIndex {
  readonly numbers = new NumberPool('endpoints', endpointNumbers.first, endpointNumbers.last);
  readonly published = new PortTable();
  readonly hostIfnames = new Set<string>();
  readonly #networks = new Map<string, NetworkIndex>();
  readonly #endpoints = new Map<string, Endpoint>();
  /** By the sandbox's path: names of our devices in it. */
  readonly #ifnames = new Map<string, Set<string>>();

  static of(intent: Pick<Intent, 'networks' | 'endpoints'>): EndpointIndex {
    const index = new EndpointIndex();
    for (const network of intent.networks.values()) index.addNetwork(network);
    for (const endpoint of intent.endpoints.values()) index.addEndpoint(endpoint);
    return index;
  }

  /** Also replaces: a network's name and labels change while it lives. */
  addNetwork(network: Network): void {
    const known = this.#networks.get(network.id);
    if (known !== undefined) {
      this.#networks.set(network.id, { ...known, network });
      return;
    }
    const pools = network.subnets.map((subnet) => new AddressPool(subnet));
    const added = { network, pools, names: new Map(), macs: new Set<string>(), cgroups: new Map() };
    this.#networks.set(network.id, added);
    const others = new Set(this.#segment(added).map((one) => one.network.id));
    if (others.size === 1) return;
    for (const endpoint of this.#endpoints.values()) if (others.has(endpoint.network)) occupy(added, endpoint);
  }

  /** Of a network that has no endpoints any more. */
  removeNetwork(id: string): void {
    this.#networks.delete(id);
  }

  network(id: string): NetworkIndex | undefined {
    return this.#networks.get(id);
  }

  endpoint(id: string): Endpoint | undefined {
    return this.#endpoints.get(id);
  }

  /** Names of our devices in a sandbox. */
  ifnames(netns: string): ReadonlySet<string> {
    return this.#ifnames.get(netns) ?? new Set();
  }

  /** Also replaces: ports and labels of an endpoint change while it lives. */
  addEndpoint(endpoint: Endpoint): void {
    this.removeEndpoint(endpoint.id);
    this.#endpoints.set(endpoint.id, endpoint);
    this.numbers.take(endpoint.number);
    this.hostIfnames.add(endpoint.hostIfname);
    const ifnames = this.#ifnames.get(endpoint.netns) ?? new Set();
    this.#ifnames.set(endpoint.netns, ifnames.add(endpoint.ifname));
    const network = this.#networks.get(endpoint.network);
    for (const port of endpoint.ports) this.published.add(port, holderName(endpoint, network?.network));
    if (network === undefined) return;
    network.names.set(endpoint.name, endpoint.id);
    if (endpoint.cgroup !== undefined) network.cgroups.set(endpoint.cgroup, endpoint.name);
    for (const one of this.#segment(network)) occupy(one, endpoint);
  }

  removeEndpoint(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#endpoints.delete(id);
    this.numbers.release(endpoint.number);
    this.hostIfnames.delete(endpoint.hostIfname);
    const ifnames = this.#ifnames.get(endpoint.netns);
    ifnames?.delete(endpoint.ifname);
    if (ifnames?.size === 0) this.#ifnames.delete(endpoint.netns);
    for (const port of endpoint.ports) this.published.remove(port);
    const network = this.#networks.get(endpoint.network);
    if (network === undefined) return;
    network.names.delete(endpoint.name);
    if (endpoint.cgroup !== undefined) network.cgroups.delete(endpoint.cgroup);
    for (const one of this.#segment(network)) {
      one.macs.delete(endpoint.mac);
      for (const pool of one.pools) for (const cidr of endpoint.addresses) pool.release(withoutLength(cidr));
    }
  }

  /** A network, and those that an address or a MAC of it is taken in, too: all on one LAN, and all that the host reaches by single routes. */
  #segment(of: NetworkIndex): NetworkIndex[] {
    const { lan, endpointRoutes } = planOf(of.network);
    if (!lan) return [of];
    return [...this.#networks.values()].filter(({ network }) => {
      const other = planOf(network);
      return other.lan?.parent === lan.parent || (endpointRoutes && other.endpointRoutes);
    });
  }
}

function occupy({ macs, pools }: NetworkIndex, { mac, addresses }: Endpoint): void {
  macs.add(mac);
  const numbers = addresses.map((cidr) => addressNumber(withoutLength(cidr)));
  for (const pool of pools) for (const number of numbers) pool.takeNumber(number);
}

/** `frontend/web`: how an endpoint is named to people. */
export function holderName(endpoint: Pick<Endpoint, 'name'>, network: Pick<Network, 'name'> | undefined): string {
  return network === undefined ? endpoint.name : `${network.name}/${endpoint.name}`;
}
