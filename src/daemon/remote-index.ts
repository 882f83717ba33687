import { withoutLength } from '../model/address.ts';
import type { ClusterEndpoint } from '../model/cluster.ts';

type Remotes = ReadonlyMap<string, ClusterEndpoint>;

/** The endpoints that are on other hosts, by their keys, and by what they are looked for. */
export class RemoteIndex {
  readonly #all = new Map<string, ClusterEndpoint>();
  readonly #byNetwork = new Map<string, Map<string, ClusterEndpoint>>();
  readonly #byName = new Map<string, Map<string, ClusterEndpoint>>();
  readonly #byAddress = new Map<string, Map<string, ClusterEndpoint>>();

  /** By `NODE/ID`. */
  get all(): Remotes {
    return this.#all;
  }

  /** @param key `NODE/ID` */
  set(key: string, remote: ClusterEndpoint | undefined): void {
    const before = this.#all.get(key);
    for (const [index, value] of before ? this.#places(before) : []) drop(index, value, key);
    if (!remote) {
      this.#all.delete(key);
      return;
    }
    this.#all.set(key, remote);
    for (const [index, value] of this.#places(remote)) {
      const found = index.get(value);
      if (found) found.set(key, remote);
      else index.set(value, new Map([[key, remote]]));
    }
  }

  of(network: string): Remotes {
    return this.#byNetwork.get(network) ?? none;
  }

  named(name: string): readonly ClusterEndpoint[] {
    return [...(this.#byName.get(name)?.values() ?? [])];
  }

  /** @param address canonical, without prefix length */
  at(address: string): readonly ClusterEndpoint[] {
    return [...(this.#byAddress.get(address)?.values() ?? [])];
  }

  *#places({
    network,
    name,
    addresses,
  }: ClusterEndpoint): Iterable<[Map<string, Map<string, ClusterEndpoint>>, string]> {
    yield [this.#byNetwork, network];
    yield [this.#byName, name];
    for (const address of addresses) yield [this.#byAddress, withoutLength(address)];
  }
}

const none: Remotes = new Map();

function drop(index: Map<string, Map<string, ClusterEndpoint>>, value: string, key: string): void {
  const found = index.get(value);
  found?.delete(key);
  if (found?.size === 0) index.delete(value);
}
