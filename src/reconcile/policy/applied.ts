import type { PolicyChanges } from '../../policy/compiler.ts';
import {
  type LearnedIdentity,
  type PolicyPair,
  type PolicyTables,
  type PortEntry,
  pairKey,
  type Standings,
} from '../../policy/tables.ts';

/** What the kernel judges by: the tables as they were when they were last applied. */
export class AppliedTables implements PolicyTables {
  readonly standings: Map<number, Standings>;
  readonly blocks: Map<string, number>;
  readonly learned: Map<string, LearnedIdentity>;
  readonly pairs: Map<string, PolicyPair>;
  readonly portSets: Map<number, readonly PortEntry[]>;

  constructor({ standings, blocks, learned, pairs, portSets }: PolicyTables) {
    this.standings = new Map(standings);
    this.blocks = new Map(blocks);
    this.learned = new Map(learned);
    this.pairs = new Map(pairs);
    this.portSets = new Map(portSets);
  }

  /** Takes over what other tables say of some keys. */
  follow(tables: PolicyTables, keys: PolicyChanges): void {
    copy(this.standings, tables.standings, keys.standings);
    copy(this.blocks, tables.blocks, keys.blocks);
    copy(this.learned, tables.learned, keys.learned);
    for (const { decision, ...pair } of keys.pairs) {
      const key = pairKey(pair.subject, pair.peer, pair.direction);
      if (decision === undefined) this.pairs.delete(key);
      else this.pairs.set(key, { ...pair, decision });
    }
    copy(this.portSets, tables.portSets, keys.portSets);
  }
}

function copy<K, V>(to: Map<K, V>, from: ReadonlyMap<K, V>, keys: Iterable<K>): void {
  for (const key of keys) {
    const value = from.get(key);
    if (value === undefined) to.delete(key);
    else to.set(key, value);
  }
}
