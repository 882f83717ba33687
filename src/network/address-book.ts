import { familyOf } from '../model/address.ts';
import type { HeldAddress } from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import { AddressPool } from './address-pool.ts';

/** Addresses of one family that a host takes in advance, so that it can attach without asking anybody. */
const reserve = 8;

/** One address pool of a network, as all hosts have used it. */
interface Range {
  readonly pool: AddressPool;
  /** How many addresses each host holds. */
  readonly byNode: Map<string, number>;
  /** How many of those that are handed out unasked are held for somebody. */
  used: number;
  /** How many this host holds in advance. */
  spare: number;
  /** What a host has taken in advance last, inside the range: the next one takes what comes after it. */
  last: string | undefined;
}

/**
 * Who holds which addresses of the cluster's networks, as far as this host knows.
 *
 * What hosts take in advance comes after what was taken so last, so that an address that was given back is not taken
 * again at once: a container that moves finds its own free.
 */
export class AddressBook {
  readonly node: string;
  /** By network, then address. */
  readonly #held = new Map<string, Map<string, HeldAddress>>();
  /** By network: this host's. */
  readonly #own = new Map<string, Map<string, HeldAddress>>();
  readonly #ranges = new Map<string, readonly Range[]>();

  constructor(node: string, networks: Iterable<Network> = [], held: Iterable<HeldAddress> = []) {
    this.node = node;
    for (const network of networks) this.addNetwork(network);
    for (const address of held) this.put(address);
  }

  get(network: string, address: string): HeldAddress | undefined {
    return this.#held.get(network)?.get(address);
  }

  /** All that this host holds of all networks. */
  *own(): Iterable<HeldAddress> {
    for (const held of this.#own.values()) yield* held.values();
  }

  /** What this host holds of a network, by address. */
  ownOf(network: string): ReadonlyMap<string, HeldAddress> {
    return this.#own.get(network) ?? new Map();
  }

  /** What a host holds. */
  of(node: string): HeldAddress[] {
    return [...this.#held.values()].flatMap((all) => [...all.values()].filter((held) => held.node === node));
  }

  /** Also replaces. */
  put(held: HeldAddress): void {
    const { network, address } = held;
    this.delete(network, address);
    const all = this.#held.get(network);
    if (all) all.set(address, held);
    else this.#held.set(network, new Map([[address, held]]));
    if (held.node === this.node) {
      const own = this.#own.get(network) ?? new Map<string, HeldAddress>();
      this.#own.set(network, own.set(address, held));
    }
    const range = this.#rangeOf(network, address);
    if (!range) return;
    range.pool.take(address);
    if (held.endpoint === '') range.last = address;
    this.#count(range, held, 1);
  }

  delete(network: string, address: string): void {
    const held = this.get(network, address);
    if (!held) return;
    const all = this.#held.get(network);
    all?.delete(address);
    if (all?.size === 0) this.#held.delete(network);
    const own = this.#own.get(network);
    own?.delete(address);
    if (own?.size === 0) this.#own.delete(network);
    const range = this.#rangeOf(network, address);
    if (!range) return;
    range.pool.release(address);
    this.#count(range, held, -1);
  }

  addNetwork({ id, subnets }: Network): void {
    if (this.#ranges.has(id)) return;
    const ranges = subnets.map(
      (subnet): Range => ({
        ...{ pool: new AddressPool(subnet), byNode: new Map(), used: 0, spare: 0, last: undefined },
      }),
    );
    const known = [...(this.#held.get(id)?.values() ?? [])];
    for (const { address } of known) this.delete(id, address);
    this.#ranges.set(id, ranges);
    for (const held of known) this.put(held);
  }

  /** Whether it is the cluster's, as far as is known. */
  hasNetwork(id: string): boolean {
    return this.#ranges.has(id);
  }

  /** With all that is held of it. */
  removeNetwork(id: string): void {
    for (const address of [...(this.#held.get(id)?.keys() ?? [])]) this.delete(id, address);
    this.#ranges.delete(id);
  }

  /**
   * How many addresses of a family a host takes in advance: of a small range few, for the others need some too, and fewer the
   * more hosts there are and the less is left. All hosts together a quarter of what nobody uses, or one each, if that is
   * not more than half of it.
   */
  reserve(network: string, family: 4 | 6): number {
    const range = this.#range(network, family);
    if (!range) return 0;
    const { pool, byNode, used } = range;
    const hosts = byNode.size + (byNode.has(this.node) ? 0 : 1);
    const unused = pool.capacity - used;
    const share = Math.max(Math.floor(unused / (4 * hosts)), unused < 2 * hosts ? 0 : 1);
    return Math.min(reserve, share, Math.max(1, Math.floor(pool.size / 32)));
  }

  /**
   * How many of those that this host has in advance it is to give back; not for every one, so that it does not take it again at
   * once.
   *
   * @param spare those that nothing uses and that are not on their way back; absent: all that are held in advance, which are
   *   more
   */
  excess(network: string, family: 4 | 6, spare = this.#range(network, family)?.spare ?? 0): number {
    const wanted = this.reserve(network, family);
    return spare > wanted + Math.min(2, Math.floor(wanted / 2)) ? spare - wanted : 0;
  }

  /** Up to `count` addresses of a family that nobody holds. @param skip passes over so many, to get out of others' way */
  free(network: string, family: 4 | 6, count: number, skip = 0): string[] {
    const range = this.#range(network, family);
    return range?.pool.free(count, range.last, skip) ?? [];
  }

  #count(range: Range, { node, address, endpoint }: HeldAddress, by: 1 | -1): void {
    const count = (range.byNode.get(node) ?? 0) + by;
    if (count > 0) range.byNode.set(node, count);
    else range.byNode.delete(node);
    if (endpoint === '') range.spare += node === this.node ? by : 0;
    else if (range.pool.isAutomatic(address)) range.used += by;
  }

  #rangeOf(network: string, address: string): Range | undefined {
    return this.#range(network, familyOf(address));
  }

  #range(network: string, family: 4 | 6): Range | undefined {
    return this.#ranges.get(network)?.find(({ pool }) => familyOf(pool.cidr) === family);
  }
}
