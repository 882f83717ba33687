import type { PolicyDirection } from '../decision.ts';
import { type PolicyPair, pairKey } from '../tables.ts';

/** What one subject decides in one direction. */
export interface PairRow {
  readonly subject: number;
  readonly direction: PolicyDirection;
  /** By peer. */
  readonly decisions: ReadonlyMap<number, number>;
}

/** Key of rows in a map. */
export function rowKey(subject: number, direction: PolicyDirection): number {
  return subject * 2 + direction;
}

/** The rows as one map by `pairKey`, made as it is read: a hundred thousand keys as text would cost more than compiling. */
export class PairView implements ReadonlyMap<string, PolicyPair> {
  readonly #rows: ReadonlyMap<number, PairRow>;

  /** @param rows by {@link rowKey} */
  constructor(rows: ReadonlyMap<number, PairRow>) {
    this.#rows = rows;
  }

  get size(): number {
    let size = 0;
    for (const { decisions } of this.#rows.values()) size += decisions.size;
    return size;
  }

  get(key: string): PolicyPair | undefined {
    const [subject = 0, peer = 0, direction = 0] = key.split(' ').map(Number);
    const row = this.#rows.get(rowKey(subject, direction === 0 ? 0 : 1));
    const decision = row?.decisions.get(peer);
    return row && decision !== undefined ? { subject, peer, direction: row.direction, decision } : undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *values(): MapIterator<PolicyPair> {
    for (const { subject, direction, decisions } of this.#rows.values()) {
      for (const [peer, decision] of decisions) yield { subject, peer, direction, decision };
    }
  }

  *entries(): MapIterator<[string, PolicyPair]> {
    for (const pair of this.values()) yield [pairKey(pair.subject, pair.peer, pair.direction), pair];
  }

  *keys(): MapIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  [Symbol.iterator](): MapIterator<[string, PolicyPair]> {
    return this.entries();
  }

  forEach(visit: (pair: PolicyPair, key: string, map: ReadonlyMap<string, PolicyPair>) => void): void {
    for (const [key, pair] of this) visit(pair, key, this);
  }
}
