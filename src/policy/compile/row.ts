import type { PolicyDirection } from '../decision.ts';
import type { Isolation } from './evaluate.ts';
import type { PlacedClause } from './place.ts';

/** What one identity decides in one direction, and what has to be compiled again. */
export interface Row {
  readonly subject: number;
  readonly direction: PolicyDirection;
  /** By peer's identity; 0: any other. Empty: no document governs it. */
  decisions: Map<number, number>;
  /** As last compiled. */
  plan: RowPlan | undefined;
  /** What a change concerns: all of it, or these peers; undefined: nothing. */
  stale: 'all' | Set<number> | undefined;
}

/** The clauses that concern one subject in one direction, in their order. */
export interface RowPlan {
  readonly clauses: readonly PlacedClause[];
  /** Patterns of the domain names that they name, in one order. */
  readonly domains: readonly string[];
  readonly isolation: Isolation;
}

export function newRow(subject: number, direction: PolicyDirection): Row {
  return { subject, direction, decisions: new Map(), plan: undefined, stale: undefined };
}
