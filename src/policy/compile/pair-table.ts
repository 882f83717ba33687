import { type PolicyPair, pairKey } from '../tables.ts';
import type { PortSets } from './port-sets.ts';
import type { Row } from './row.ts';

/** The decisions of all rows as the kernel has them, and which of them have changed. */
export class PairTable {
  readonly #pairs = new Map<string, PolicyPair>();
  readonly #changed = new Set<string>();
  readonly #sets: PortSets;

  constructor(sets: PortSets) {
    this.#sets = sets;
  }

  get tables(): ReadonlyMap<string, PolicyPair> {
    return this.#pairs;
  }

  /** Undefined: the pair has no decision of its own. */
  set(row: Row, peer: number, decision: number | undefined): void {
    const before = row.decisions.get(peer);
    if (before === decision) return;
    const { subject, direction } = row;
    const key = pairKey(subject, peer, direction);
    if (decision === undefined) {
      row.decisions.delete(peer);
      this.#pairs.delete(key);
    } else {
      this.#sets.take(decision);
      row.decisions.set(peer, decision);
      this.#pairs.set(key, { subject, peer, direction, decision });
    }
    if (before !== undefined) this.#sets.release(before);
    this.#changed.add(key);
  }

  /** All decisions of a row; empty: it is not governed. */
  replace(row: Row, decisions: ReadonlyMap<number, number>): void {
    for (const peer of [...row.decisions.keys()]) if (!decisions.has(peer)) this.set(row, peer, undefined);
    for (const [peer, decision] of decisions) this.set(row, peer, decision);
  }

  /** Keys of pairs that have come, gone or changed since the last call. */
  sweep(): Set<string> {
    const changed = new Set(this.#changed);
    this.#changed.clear();
    return changed;
  }
}
