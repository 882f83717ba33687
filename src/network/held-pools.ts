import { VetchError } from '../api/error.ts';
import { canonicalAddress, canonicalPrefix, formatAddress, parseInterfaceAddress } from '../model/address.ts';
import { edges } from './address-pool.ts';
import { chooseSubnet, defaultPool6, defaultPools4 } from './default-pools.ts';
import { IntervalSet } from './interval-set.ts';
import { type Claimant, checkOverlap, claimed, type Neighbours } from './overlap.ts';
import { addressNumber, contains, containsSpan, numberAddress, type Span, spanOf } from './span.ts';

/** A subnet that an engine holds, as stored; a network may be made of it later. */
export interface HeldPool {
  readonly id: string;
  readonly cidr: string;
  /** Where automatic addresses come from; inside `cidr`. */
  readonly range?: string;
  /** Name of the cluster's network that it is of; absent: it is this host's own. */
  readonly network?: string;
  /** What its engine takes it for; absent: `cidr`. */
  readonly told?: string;
  /** RFC 3339 UTC. */
  readonly created: string;
}

/** What an engine asks for. */
export interface PoolWish {
  readonly pool?: string;
  readonly subPool?: string;
  readonly ipv6: boolean;
  /** Name of the cluster's network that it is for. */
  readonly network?: string;
}

interface Entry {
  readonly pool: HeldPool;
  readonly span: Span;
  readonly range: Span;
  /** Edges included. */
  readonly taken: IntervalSet;
  /** When each address was taken, RFC 3339. */
  readonly addresses: Map<string, string>;
}

/**
 * The subnets and addresses that an engine holds by our IPAM driver. Choosing takes nothing: whoever chose stores the
 * choice, and then adds it.
 */
export class HeldPools {
  readonly #pools = new Map<string, Entry>();

  get pools(): readonly HeldPool[] {
    return [...this.#pools.values()].map(({ pool }) => pool);
  }

  get(id: string): HeldPool | undefined {
    return this.#pools.get(id)?.pool;
  }

  /** Addresses that are held, and since when. */
  addresses(id: string): ReadonlyMap<string, string> {
    return this.#pools.get(id)?.addresses ?? new Map();
  }

  /**
   * A subnet as wished for, or a default one, that overlaps nothing.
   *
   * @param seed stands for the host: see `defaultPool6`
   * @throws VetchError INVALID, SUBNET_OVERLAP
   */
  choose(wish: PoolWish, { networks, hostRoutes }: Neighbours, seed: string): Pick<HeldPool, 'cidr' | 'range'> {
    const neighbours = { networks: [...networks, ...this.#claimants()], hostRoutes };
    if (wish.pool === undefined) {
      if (wish.subPool !== undefined) {
        throw new VetchError('INVALID', 'a range needs a subnet to be a part of', 'give --subnet too');
      }
      const pools = wish.ipv6 ? [defaultPool6(seed)] : defaultPools4;
      return { cidr: chooseSubnet(pools, claimed(neighbours)) };
    }
    const cidr = strictPrefix(wish.pool);
    checkOverlap(cidr, neighbours);
    if (wish.subPool === undefined) return { cidr };
    const range = strictPrefix(wish.subPool);
    if (containsSpan(spanOf(cidr), spanOf(range))) return { cidr, range };
    throw new VetchError('INVALID', `ip-range ${range} is outside ${cidr}`, `choose a part of ${cidr}`);
  }

  /**
   * The address wished for, or the lowest free one; without prefix length.
   *
   * @param kept addresses that nobody gets, though no engine holds them
   * @throws VetchError NOT_FOUND, ADDRESS_TAKEN, ADDRESS_OUTSIDE_POOL
   */
  chooseAddress(id: string, wish: string | undefined, kept: ReadonlySet<string> = new Set()): string {
    const { pool, span, range, taken } = this.#entry(id);
    if (wish === undefined) {
      let free = taken.lowestFree(range.first, range.last);
      while (free !== undefined && kept.has(numberAddress(free))) free = taken.lowestFree(free + 1n, range.last);
      if (free !== undefined) return numberAddress(free);
      throw new VetchError(
        'ADDRESS_TAKEN',
        `no address of ${pool.range ?? pool.cidr} is free to be handed out`,
        'remove containers that are no longer needed, or use a network with a larger subnet',
      );
    }
    const address = canonicalAddress(wish);
    const number = addressNumber(address);
    if (!contains(span, number)) {
      throw new VetchError(
        'ADDRESS_OUTSIDE_POOL',
        `address ${address} is outside ${pool.cidr}`,
        `choose an address of ${pool.cidr}, or none for an automatic one`,
      );
    }
    if (!taken.has(number) && !kept.has(address)) return address;
    throw new VetchError(
      'ADDRESS_TAKEN',
      `address ${address} of ${pool.cidr} is already in use`,
      'choose another address, or none for an automatic one',
    );
  }

  /** With the prefix length of its pool. */
  withLength(id: string, address: string): string {
    const { cidr } = this.#entry(id).pool;
    return `${address}${cidr.slice(cidr.indexOf('/'))}`;
  }

  add(pool: HeldPool): void {
    const span = spanOf(pool.cidr);
    const taken = new IntervalSet();
    for (const [number] of edges(span)) taken.add(number);
    const range = pool.range === undefined ? span : spanOf(pool.range);
    this.#pools.set(pool.id, { pool, span, range, taken, addresses: new Map() });
  }

  remove(id: string): void {
    this.#pools.delete(id);
  }

  /** @param since RFC 3339 */
  take(id: string, address: string, since: string): void {
    const entry = this.#pools.get(id);
    if (!entry) return;
    entry.taken.add(addressNumber(address));
    entry.addresses.set(address, since);
  }

  release(id: string, address: string): void {
    const entry = this.#pools.get(id);
    if (entry?.addresses.delete(address)) entry.taken.remove(addressNumber(address));
  }

  #claimants(): Claimant[] {
    return this.pools.map(({ cidr, id }) => ({
      name: `pool ${id}`,
      driver: 'bridge',
      options: {},
      subnets: [{ cidr }],
    }));
  }

  #entry(id: string): Entry {
    const entry = this.#pools.get(id);
    if (entry) return entry;
    throw new VetchError('NOT_FOUND', `there is no address pool ${id}`, 'make the network again');
  }
}

function strictPrefix(text: string): string {
  const cidr = canonicalPrefix(text);
  const start = cidr.slice(0, cidr.indexOf('/'));
  if (formatAddress(parseInterfaceAddress(text).address) === start) return cidr;
  throw new VetchError('INVALID', `subnet ${text} is not the beginning of its block`, `write it as ${cidr}`);
}
