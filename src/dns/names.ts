import type { NamedEndpoint, NamedNetwork, NameEvent } from '../api/schemas/names.ts';
import { type Prefix, parseAddress, parsePrefix, prefixHolds } from '../model/address.ts';

/** An endpoint and the name of its network. */
export interface Found {
  readonly endpoint: NamedEndpoint;
  readonly network: string;
}

/** What one container may ask for: the names of the network that it asks in, then those of its other networks. */
export interface View {
  readonly internal: boolean;
  /** Whether its names are answered here; if not, an engine answers for them. */
  readonly names: boolean;
  /** `NAME` or `NAME.NETWORK`, in any case, without the final dot. */
  find(name: string): Found | undefined;
  at(address: string): Found | undefined;
  /** Whether an address lies in one of its networks, whoever has it. */
  holds(address: string): boolean;
}

/** One network's endpoints, by what they are asked for. */
class Zone {
  network: NamedNetwork;
  prefixes: readonly Prefix[];
  readonly byName = new Map<string, Map<string, NamedEndpoint>>();
  readonly byAddress = new Map<string, NamedEndpoint>();

  constructor(network: NamedNetwork) {
    this.network = network;
    this.prefixes = network.subnets.map(parsePrefix);
  }

  /** Names differ by case, questions do not: the one that is written alike comes first. */
  find(name: string): NamedEndpoint | undefined {
    const found = [...(this.byName.get(name.toLowerCase())?.values() ?? [])];
    return found.find((endpoint) => endpoint.name === name) ?? found[0];
  }

  holds(address: Uint8Array): boolean {
    return this.prefixes.some((prefix) => prefixHolds(prefix, address));
  }
}

/** All names of this host's networks, as the daemon has told them. */
export class Names {
  readonly #zones = new Map<string, Zone>();
  readonly #endpoints = new Map<string, NamedEndpoint>();
  readonly #sandboxes = new Map<string, Set<string>>();
  /** Endpoints whose network has not been told yet, by the network's id. */
  readonly #early = new Map<string, Set<string>>();

  get networks(): NamedNetwork[] {
    return Array.from(this.#zones.values(), ({ network }) => network);
  }

  /** How many endpoints are known. */
  get size(): number {
    return this.#endpoints.size;
  }

  hasNetwork(id: string): boolean {
    return this.#zones.has(id);
  }

  apply(event: NameEvent): void {
    if (event.event === 'network') this.#putNetwork(event);
    else if (event.event === 'endpoint') this.#putEndpoint(event);
    else if (event.event === 'removed') this.#remove(event.id);
  }

  /** The events that make these names of none. */
  *events(): Generator<NameEvent> {
    yield* this.networks;
    yield* this.#endpoints.values();
    yield { event: 'synced' };
  }

  /** Whether an address belongs to a network: to whom nothing is said that does not. */
  admits(network: string, source: string): boolean {
    // A link-local address comes with its device, and is of no subnet
    if (source.includes('%')) return false;
    return this.#zones.get(network)?.holds(parseAddress(source)) ?? false;
  }

  /** What a question from `source`, asked at the gateway of `network`, may be answered with. */
  view(network: string, source: string): View | undefined {
    const own = this.#zones.get(network);
    if (!own) return undefined;
    const { internal, names } = own.network;
    const zones = names ? [own, ...this.#otherZones(own, source)] : [];
    return {
      internal,
      names,
      find: (name) => findIn(zones, name),
      at: (address) => first(zones, (zone) => zone.byAddress.get(address)),
      holds: (address) => zones.some((zone) => zone.holds(parseAddress(address))),
    };
  }

  /** The domain names that policy lets `source` reach, as patterns. */
  domains(network: string, source: string): readonly string[] {
    return this.#zones.get(network)?.byAddress.get(source)?.domains ?? [];
  }

  #otherZones(own: Zone, source: string): Zone[] {
    const sandbox = own.byAddress.get(source)?.sandbox;
    if (!sandbox) return [];
    const zones = new Set<Zone>();
    for (const id of this.#sandboxes.get(sandbox) ?? []) {
      const zone = this.#zones.get(this.#endpoints.get(id)?.network ?? '');
      if (zone?.network.names && zone !== own) zones.add(zone);
    }
    return [...zones].sort((a, b) => (a.network.name < b.network.name ? -1 : 1));
  }

  #putNetwork(network: NamedNetwork): void {
    const zone = this.#zones.get(network.id);
    if (zone) {
      zone.network = network;
      zone.prefixes = network.subnets.map(parsePrefix);
      return;
    }
    this.#zones.set(network.id, new Zone(network));
    for (const id of this.#early.get(network.id) ?? []) {
      const endpoint = this.#endpoints.get(id);
      if (endpoint) this.#putEndpoint(endpoint);
    }
    this.#early.delete(network.id);
  }

  #putEndpoint(endpoint: NamedEndpoint): void {
    this.#removeEndpoint(endpoint.id);
    this.#endpoints.set(endpoint.id, endpoint);
    if (endpoint.sandbox !== '') addTo(this.#sandboxes, endpoint.sandbox, endpoint.id);
    const zone = this.#zones.get(endpoint.network);
    if (!zone) {
      addTo(this.#early, endpoint.network, endpoint.id);
      return;
    }
    const key = endpoint.name.toLowerCase();
    const named = zone.byName.get(key) ?? new Map<string, NamedEndpoint>();
    zone.byName.set(key, named.set(endpoint.id, endpoint));
    for (const address of endpoint.addresses) zone.byAddress.set(address, endpoint);
  }

  #remove(id: string): void {
    this.#zones.delete(id);
    this.#removeEndpoint(id);
  }

  #removeEndpoint(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (!endpoint) return;
    this.#endpoints.delete(id);
    takeFrom(this.#sandboxes, endpoint.sandbox, id);
    takeFrom(this.#early, endpoint.network, id);
    const zone = this.#zones.get(endpoint.network);
    if (!zone) return;
    const named = zone.byName.get(endpoint.name.toLowerCase());
    named?.delete(id);
    if (named?.size === 0) zone.byName.delete(endpoint.name.toLowerCase());
    // Whoever has got the address since keeps it
    for (const address of endpoint.addresses)
      if (zone.byAddress.get(address)?.id === id) zone.byAddress.delete(address);
  }
}

/** A name as it is written wins over one that is read as name and network: both may hold dots. */
function findIn(zones: readonly Zone[], name: string): Found | undefined {
  return (
    first(zones, (zone) => zone.find(name)) ??
    first(zones, (zone) => {
      const suffix = `.${zone.network.name}`;
      return name.toLowerCase().endsWith(suffix.toLowerCase()) ? zone.find(name.slice(0, -suffix.length)) : undefined;
    })
  );
}

function first(zones: readonly Zone[], find: (zone: Zone) => NamedEndpoint | undefined): Found | undefined {
  for (const zone of zones) {
    const endpoint = find(zone);
    if (endpoint) return { endpoint, network: zone.network.name };
  }
  return undefined;
}

function addTo(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  if (set) set.add(id);
  else sets.set(key, new Set([id]));
}

function takeFrom(sets: Map<string, Set<string>>, key: string, id: string): void {
  const set = sets.get(key);
  set?.delete(id);
  if (set?.size === 0) sets.delete(key);
}
