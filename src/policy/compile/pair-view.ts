import type { PolicyDirection } from '../decision.ts';
import { type PolicyPair, pairKey } from '../tables.ts';
import type { Row } from './row.ts';

export interface RowSource {
  size(): number;
  rows(): Iterable<Row>;
  row(subject: number, direction: PolicyDirection): Row | undefined;
}

/** The rows as one map by `pairKey`, made as it is read: a hundred thousand keys as text would cost more than compiling. */
export class PairView implements ReadonlyMap<string, PolicyPair> {
  readonly #source: RowSource;

  constructor(source: RowSource) {
    this.#source = source;
  }

  get size(): number {
    return this.#source.size();
  }

  get(key: string): PolicyPair | undefined {
    const [subject = 0, peer = 0, direction = 0] = key.split(' ').map(Number);
    const row = this.#source.row(subject, direction === 0 ? 0 : 1);
    const decision = row?.decisions.get(peer);
    return row && decision !== undefined ? { subject, peer, direction: row.direction, decision } : undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *values(): MapIterator<PolicyPair> {
    for (const { subject, direction, decisions } of this.#source.rows()) {
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
