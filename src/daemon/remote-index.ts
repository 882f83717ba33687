import { withoutLength } from '../model/address.ts';
import type { ClusterEndpoint } from '../model/cluster.ts';

type Remotes = ReadonlyMap<string, ClusterEndpoint>;

/** The endpoints that are on other hosts, by their keys, and by what they are looked for. */
export class RemoteIndex {
  readonly #all = new Map<string, ClusterEndpoint>();
  readonly #byNetwork = new Map<string, Map<string, ClusterEndpoint>>();
  readonly #byName = new Map<string, readonly ClusterEndpoint[]>();
  readonly #byAddress = new Map<string, readonly ClusterEndpoint[]>();

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
    for (const [index, value] of this.#places(remote)) index.set(value, [...(index.get(value) ?? []), remote]);
  }

  of(network: string): Remotes {
    return this.#byNetwork.get(network) ?? none;
  }

  named(name: string): readonly ClusterEndpoint[] {
    return this.#byName.get(name) ?? [];
  }

  /** @param address canonical, without prefix length */
  at(address: string): readonly ClusterEndpoint[] {
    return this.#byAddress.get(address) ?? [];
  }

  #drop(key: string, before: ClusterEndpoint): void {
    this.#all.delete(key);
    const others = this.#byNetwork.get(before.network);
    others?.delete(key);
    if (others?.size === 0) this.#byNetwork.delete(before.network);
    for (const [index, value] of this.#places(before)) {
      const rest = (index.get(value) ?? []).filter((other) => other !== before);
      if (rest.length > 0) index.set(value, rest);
      else index.delete(value);
    }
  }

  /** Few share a name or an address: a list of one takes a fifth of the memory of a map. */
  *#places({ name, addresses }: ClusterEndpoint): Iterable<[Map<string, readonly ClusterEndpoint[]>, string]> {
    yield [this.#byName, name];
    for (const address of addresses) yield [this.#byAddress, withoutLength(address)];
  }
}

const none: Remotes = new Map();
