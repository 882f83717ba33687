import { VetchError } from '../../api/error.ts';
import { DECISION_KIND_SHIFT, DECISION_PORTS, maxPortSet } from '../decision.ts';
import type { PortEntry } from '../tables.ts';

interface CountedSet {
  readonly number: number;
  readonly key: string;
  readonly entries: readonly PortEntry[];
  users: number;
}

/**
 * The sets of ports in use, one number for equal contents. A number never comes to mean something else: new ones are
 * counted on. What has lost its last user is kept until {@link PortSets.sweep}, so that undoing a change gives it back.
 */
export class PortSets {
  readonly #byKey = new Map<string, CountedSet>();
  readonly #byNumber = new Map<number, CountedSet>();
  readonly #live = new Map<number, readonly PortEntry[]>();
  #idle = new Set<CountedSet>();
  #changed = new Set<number>();
  /** Numbers of contents that the kernel already has. */
  readonly #seeds = new Map<string, number>();
  #entries = 0;
  #next = 1;

  constructor(seeds: ReadonlyMap<number, readonly PortEntry[]>) {
    for (const [number, entries] of seeds) {
      this.#seeds.set(keyOf([...entries].sort(byPrefix)), number);
      if (number >= this.#next) this.#next = number + 1;
    }
  }

  get tables(): ReadonlyMap<number, readonly PortEntry[]> {
    return this.#live;
  }

  /** Of all sets together. */
  get entries(): number {
    return this.#entries;
  }

  /** The decision that stands for these entries, which are in order. Takes no use of it. @throws VetchError MAP_FULL */
  intern(entries: readonly PortEntry[]): number {
    const key = keyOf(entries);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known.number;
    const set = { number: this.#numberFor(key), key, entries, users: 0 };
    this.#byKey.set(key, set);
    this.#byNumber.set(set.number, set);
    this.#idle.add(set);
    return set.number;
  }

  /** One more use of a decision, if it is a set of ports. */
  take(decision: number): void {
    const set = this.#setOf(decision);
    if (set === undefined || set.users++ > 0) return;
    this.#idle.delete(set);
    this.#live.set(set.number, set.entries);
    this.#changed.add(set.number);
    this.#entries += set.entries.length;
  }

  release(decision: number): void {
    const set = this.#setOf(decision);
    if (set === undefined || --set.users > 0) return;
    this.#idle.add(set);
    this.#live.delete(set.number);
    this.#changed.add(set.number);
    this.#entries -= set.entries.length;
  }

  /** Numbers that have come or gone since the last call; what nobody uses is forgotten. */
  sweep(): Set<number> {
    for (const set of this.#idle) {
      this.#byKey.delete(set.key);
      this.#byNumber.delete(set.number);
    }
    const changed = this.#changed;
    this.#idle = new Set();
    this.#changed = new Set();
    return changed;
  }

  #setOf(decision: number): CountedSet | undefined {
    return decision >>> DECISION_KIND_SHIFT === DECISION_PORTS ? this.#byNumber.get(decision) : undefined;
  }

  #numberFor(key: string): number {
    const seed = this.#seeds.get(key);
    if (seed !== undefined && !this.#byNumber.has(seed)) return seed;
    if (this.#next > maxPortSet) {
      throw new VetchError('MAP_FULL', 'all numbers of port sets have been used', 'restart the daemon');
    }
    return this.#next++;
  }
}

/** Equal for equal entries: of each prefix and decision four characters. */
function keyOf(entries: readonly PortEntry[]): string {
  let key = '';
  for (const { protocol, port, bits, decision } of entries) {
    key += String.fromCharCode((protocol << 5) | bits, port, decision >>> 16, decision & 0xffff);
  }
  return key;
}

/** In the order in which they are compiled. */
function byPrefix(a: PortEntry, b: PortEntry): number {
  return a.protocol - b.protocol || a.port - b.port || a.bits - b.bits;
}
