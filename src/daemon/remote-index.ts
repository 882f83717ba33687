import { withoutLength } from '../model/address.ts';
import type { ClusterEndpoint } from '../model/cluster.ts';

type Remotes = ReadonlyMap<string, ClusterEndpoint>;

/** Few share a name or an address: a list for each that is alone would take more memory than the map itself. */
type Places = Map<string, ClusterEndpoint | readonly ClusterEndpoint[]>;

/** The endpoints that are on other hosts, by their keys, and by what they are looked for. */
export class RemoteIndex {
  readonly #all = new Map<string, ClusterEndpoint>();
  readonly #byNetwork = new Map<string, Map<string, ClusterEndpoint>>();
  readonly #byName: Places = new Map();
  readonly #byAddress: Places = new Map();

  /** By `NODE/ID`. */
  get all(): Remotes {
    return this.#all;
  }

  /** @param key `NODE/ID` */
  set(key: string, remote: ClusterEndpoint | undefined): void {
    const before = this.#all.get(key);
    if (before) this.#drop(key, before);
    if (!remote) return;
    this.#all.set(key, remote);
    const others = this.#byNetwork.get(remote.network);
    if (others) others.set(key, remote);
    else this.#byNetwork.set(remote.network, new Map([[key, remote]]));
    put(this.#byName, remote.name, remote);
    for (const address of remote.addresses) put(this.#byAddress, withoutLength(address), remote);
  }

  of(network: string): Remotes {
    return this.#byNetwork.get(network) ?? none;
  }

  named(name: string): readonly ClusterEndpoint[] {
    return listOf(this.#byName.get(name));
  }

  /** @param address canonical, without prefix length */
  at(address: string): readonly ClusterEndpoint[] {
    return listOf(this.#byAddress.get(address));
  }

  #drop(key: string, before: ClusterEndpoint): void {
    this.#all.delete(key);
    const others = this.#byNetwork.get(before.network);
    others?.delete(key);
    if (others?.size === 0) this.#byNetwork.delete(before.network);
    drop(this.#byName, before.name, before);
    for (const address of before.addresses) drop(this.#byAddress, withoutLength(address), before);
  }
}

function listOf(found: ClusterEndpoint | readonly ClusterEndpoint[] | undefined): readonly ClusterEndpoint[] {
  if (found === undefined) return [];
  return Array.isArray(found) ? found : [found as ClusterEndpoint];
}

function put(places: Places, key: string, remote: ClusterEndpoint): void {
  const others = places.get(key);
  places.set(key, others === undefined ? remote : [...listOf(others), remote]);
}

function drop(places: Places, key: string, remote: ClusterEndpoint): void {
  const rest = listOf(places.get(key)).filter((other) => other !== remote);
  const [one] = rest;
  if (!one) places.delete(key);
  else places.set(key, rest.length === 1 ? one : rest);
}

const none: Remotes = new Map();
