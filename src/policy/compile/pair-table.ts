import type { PolicyDirection } from '../decision.ts';
import { PairView, rowKey } from './pair-view.ts';
import type { PortSets } from './port-sets.ts';
import type { Row } from './row.ts';

/** One pair that has come, changed or gone. */
export interface PairChange {
  readonly subject: number;
  readonly peer: number;
  readonly direction: PolicyDirection;
  /** Undefined: the pair is gone. */
  readonly decision: number | undefined;
}

/** The decisions of all rows as the kernel has them, and which of them have changed. */
export class PairTable {
  /** By subject, for both directions. */
  readonly #rows = new Map<number, Row>();
  /** Peers by row; `all`: the row had no pair at the last sweep. */
  #changed = new Map<number, Set<number> | 'all'>();
  readonly #sets: PortSets;
  #size = 0;

  constructor(sets: PortSets) {
    this.#sets = sets;
  }

  readonly tables = new PairView(this.#rows);

  get size(): number {
    return this.#size;
  }

  /** Undefined: the pair has no decision of its own. */
  set(row: Row, peer: number, decision: number | undefined): void {
    const before = row.decisions.get(peer);
    if (before === decision) return;
    if (decision === undefined) row.decisions.delete(peer);
    else {
      this.#sets.take(decision);
      row.decisions.set(peer, decision);
    }
    if (before !== undefined) this.#sets.release(before);
    const key = rowKey(row.subject, row.direction);
    if (before === undefined) {
      this.#size++;
      if (row.decisions.size === 1) this.#rows.set(key, row);
    } else if (decision === undefined) {
      this.#size--;
      if (row.decisions.size === 0) this.#rows.delete(key);
    }
    const changed = this.#changed.get(key);
    if (changed === undefined) this.#changed.set(key, new Set([peer]));
    else if (changed !== 'all') changed.add(peer);
  }

  /** All decisions of a row; empty: it is not governed. The map is the row's from now on. */
  replace(row: Row, decisions: Map<number, number>): void {
    if (row.decisions.size === 0 && decisions.size > 0) {
      this.#adopt(row, decisions);
      return;
    }
    for (const peer of row.decisions.keys()) if (!decisions.has(peer)) this.set(row, peer, undefined);
    for (const [peer, decision] of decisions) this.set(row, peer, decision);
  }

  #adopt(row: Row, decisions: Map<number, number>): void {
    const key = rowKey(row.subject, row.direction);
    row.decisions = decisions;
    for (const decision of decisions.values()) this.#sets.take(decision);
    this.#size += decisions.size;
    this.#rows.set(key, row);
    const changed = this.#changed.get(key);
    if (changed === undefined) this.#changed.set(key, 'all');
    else if (changed !== 'all') for (const peer of decisions.keys()) changed.add(peer);
  }

  /** The pairs that have come, changed or gone since the last call. */
  sweep(): PairChange[] {
    const changes: PairChange[] = [];
    for (const [key, peers] of this.#changed) {
      const subject = key >>> 1;
      const direction: PolicyDirection = (key & 1) === 0 ? 0 : 1;
      const decisions = this.#rows.get(key)?.decisions;
      for (const peer of peers === 'all' ? (decisions?.keys() ?? []) : peers) {
        changes.push({ subject, peer, direction, decision: decisions?.get(peer) });
      }
    }
    this.#changed = new Map();
    return changes;
  }
}
