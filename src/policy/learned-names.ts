import type { LearnedAddress } from './identity/policy-endpoint.ts';
import { learnedKey } from './tables.ts';

/** One address of an answer. */
export interface AnsweredAddress {
  /** Canonical, without prefix length. */
  readonly address: string;
  /** Seconds. */
  readonly ttl: number;
}

/** What an endpoint is about to be told. */
export interface LearnedAnswer {
  /** `Endpoint.number`. */
  readonly endpoint: number;
  /** That it asked for, canonical. */
  readonly name: string;
  readonly addresses: readonly AnsweredAddress[];
}

/** An address that an endpoint was told, by the names that it was told it for. */
export interface LearnedRecord {
  readonly endpoint: number;
  readonly address: string;
  /** Milliseconds of the clock that the methods are given, by name: until when an answer holds. */
  readonly names: ReadonlyMap<string, number>;
  /** Since when no answer holds; undefined: one does. */
  readonly expired: number | undefined;
}

export interface LearnedChange {
  /** Undefined: it was not known. */
  readonly before: LearnedRecord | undefined;
  /** Undefined: it is forgotten. */
  readonly after: LearnedAddress | undefined;
}

/** By `learnedKey`. */
export type LearnedChanges = ReadonlyMap<string, LearnedChange>;

export interface LearnedLimits {
  readonly total: number;
  readonly each: number;
  readonly names: number;
}

/**
 * Of all together: half of what the map `learned` holds, as while a change is under way; of one endpoint; and the names of one
 * address: whoever may reach `*.example.com` may ask for any number of them.
 */
const defaultLimits: LearnedLimits = { total: 32_768, each: 1024, names: 64 };

/** Seconds: an answer holds for as long as it takes to begin a connection by it, and for no longer than a day. */
const [leastTtl, mostTtl] = [5, 86_400];

/**
 * The addresses that endpoints were told for domain names that policy lets them reach. Nothing here knows who enforces it: what
 * a change comes to is given to who does.
 */
export class LearnedNames {
  readonly #records = new Map<string, LearnedRecord>();
  readonly #ofEndpoint = new Map<number, Set<string>>();
  readonly #limits: LearnedLimits;

  constructor(limits: Partial<LearnedLimits> = {}) {
    this.#limits = { ...defaultLimits, ...limits };
  }

  get size(): number {
    return this.#records.size;
  }

  get(key: string): LearnedRecord | undefined {
    return this.#records.get(key);
  }

  records(): Iterable<LearnedRecord> {
    return this.#records.values();
  }

  /** Whether some address is there only for the flows that use it. */
  get hasExpired(): boolean {
    for (const { expired } of this.#records.values()) if (expired !== undefined) return true;
    return false;
  }

  /** All that is known, by `learnedKey`. */
  addresses(): Map<string, LearnedAddress> {
    return new Map([...this.#records].map(([key, record]) => [key, stateOf(record)]));
  }

  /**
   * Takes an answer up. An endpoint that has learned all that it may forgets what expires first, and so does an address that has
   * all the names that it may.
   *
   * @returns what has changed: less than was answered where the limit of all together is reached
   */
  learn({ endpoint, name, addresses }: LearnedAnswer, now: number): LearnedChanges {
    const changes = new Map<string, LearnedChange>();
    const answered = new Set(addresses.map(({ address }) => learnedKey(endpoint, address)));
    for (const { address, ttl } of addresses) {
      const key = learnedKey(endpoint, address);
      const known = this.#records.get(key);
      if (!known && !this.#makeRoom(endpoint, answered, changes)) continue;
      const until = now + 1000 * Math.min(Math.max(ttl, leastTtl), mostTtl);
      const names = new Map(known?.names).set(name, Math.max(until, known?.names.get(name) ?? 0));
      if (names.size > this.#limits.names) names.delete(firstOver(names, name));
      const record = { endpoint, address, names, expired: undefined };
      this.#put(key, record);
      if (known?.expired !== undefined || !known?.names.has(name)) {
        changes.set(key, { before: changes.get(key)?.before ?? known, after: stateOf(record) });
      }
    }
    return changes;
  }

  /** Marks the addresses of which no answer holds any more. */
  expire(now: number): LearnedChanges {
    const changes = new Map<string, LearnedChange>();
    for (const [key, record] of this.#records) {
      if (record.expired !== undefined || lastOf(record) > now) continue;
      const expired = { ...record, expired: now };
      this.#records.set(key, expired);
      changes.set(key, { before: record, after: stateOf(expired) });
    }
    return changes;
  }

  /** Forgets what had expired by `before` and is not in use. @param inUse keys */
  release(inUse: ReadonlySet<string>, before: number): LearnedChanges {
    const changes = new Map<string, LearnedChange>();
    for (const [key, record] of this.#records) {
      if (record.expired === undefined || record.expired > before || inUse.has(key)) continue;
      this.#delete(key);
      changes.set(key, { before: record, after: undefined });
    }
    return changes;
  }

  /** Forgets what an endpoint has learned. */
  forget(endpoint: number): LearnedChanges {
    const changes = new Map<string, LearnedChange>();
    for (const key of [...(this.#ofEndpoint.get(endpoint) ?? [])]) {
      changes.set(key, { before: this.#records.get(key), after: undefined });
      this.#delete(key);
    }
    return changes;
  }

  /** Takes the last changes back. */
  undo(changes: LearnedChanges): void {
    for (const [key, { before }] of changes) {
      if (before) this.#put(key, before);
      else this.#delete(key);
    }
  }

  /** Takes up what was kept, as far as there is room. */
  put(record: LearnedRecord): void {
    if (this.#hasRoom(record.endpoint)) this.#put(learnedKey(record.endpoint, record.address), record);
  }

  #hasRoom(endpoint: number): boolean {
    const own = this.#ofEndpoint.get(endpoint);
    return this.size < this.#limits.total && (own?.size ?? 0) < this.#limits.each;
  }

  /** Whether there is room for one more address of an endpoint. @param answered keys that are not given up */
  #makeRoom(endpoint: number, answered: ReadonlySet<string>, changes: Map<string, LearnedChange>): boolean {
    if (this.#hasRoom(endpoint)) return true;
    const own = this.#ofEndpoint.get(endpoint);
    let first: LearnedRecord | undefined;
    for (const key of own ?? []) {
      const record = this.#records.get(key);
      if (!record || answered.has(key)) continue;
      if (!first || lastOf(record) < lastOf(first)) first = record;
    }
    if (!first) return false;
    const key = learnedKey(endpoint, first.address);
    this.#delete(key);
    changes.set(key, { before: first, after: undefined });
    return true;
  }

  #put(key: string, record: LearnedRecord): void {
    this.#records.set(key, record);
    const own = this.#ofEndpoint.get(record.endpoint);
    if (own) own.add(key);
    else this.#ofEndpoint.set(record.endpoint, new Set([key]));
  }

  #delete(key: string): void {
    const record = this.#records.get(key);
    if (!record) return;
    this.#records.delete(key);
    const own = this.#ofEndpoint.get(record.endpoint);
    own?.delete(key);
    if (own?.size === 0) this.#ofEndpoint.delete(record.endpoint);
  }
}

/** The name whose answer is over first, of all but one. */
function firstOver(names: ReadonlyMap<string, number>, butFor: string): string {
  const others = [...names].filter(([name]) => name !== butFor);
  const [first = ''] = others.reduce((a, b) => (b[1] < a[1] ? b : a));
  return first;
}

function lastOf({ names }: LearnedRecord): number {
  return Math.max(...names.values());
}

function stateOf({ endpoint, address, names, expired }: LearnedRecord): LearnedAddress {
  return { endpoint, address, names: [...names.keys()], expired: expired !== undefined };
}
