import type { PairChange } from '../../policy/compile/pair-table.ts';
import { type PairRow, PairView, rowKey } from '../../policy/compile/pair-view.ts';
import type { PolicyChanges } from '../../policy/compiler.ts';
import { NumberTable } from '../../policy/number-table.ts';
import type { LearnedIdentity, PolicyTables, PortEntry, Standings } from '../../policy/tables.ts';

interface AppliedRow extends PairRow {
  readonly decisions: Map<number, number>;
}

/** What the kernel judges by: the tables as they were when they were last applied. */
export class AppliedTables implements PolicyTables {
  readonly standings: NumberTable<Standings>;
  readonly blocks: Map<string, number>;
  readonly learned: Map<string, LearnedIdentity>;
  readonly portSets: Map<number, readonly PortEntry[]>;
  readonly #rows = new Map<number, AppliedRow>();
  readonly pairs = new PairView(this.#rows);

  constructor({ standings, blocks, learned, pairs, portSets }: PolicyTables) {
    this.standings = new NumberTable(standings);
    this.blocks = new Map(blocks);
    this.learned = new Map(learned);
    this.portSets = new Map(portSets);
    for (const pair of pairs.values()) this.#setPair(pair);
  }

  /** Of a pair; undefined: it has none of its own. */
  decision({ subject, peer, direction }: Omit<PairChange, 'decision'>): number | undefined {
    return this.#rows.get(rowKey(subject, direction))?.decisions.get(peer);
  }

  /** Takes over what other tables say of some keys. */
  follow(tables: PolicyTables, keys: PolicyChanges): void {
    copy(this.standings, tables.standings, keys.standings);
    copy(this.blocks, tables.blocks, keys.blocks);
    copy(this.learned, tables.learned, keys.learned);
    for (const pair of keys.pairs) this.#setPair(pair);
    copy(this.portSets, tables.portSets, keys.portSets);
  }

  #setPair({ subject, peer, direction, decision }: PairChange): void {
    const key = rowKey(subject, direction);
    const row = this.#rows.get(key);
    if (decision !== undefined) {
      if (row) row.decisions.set(peer, decision);
      else this.#rows.set(key, { subject, direction, decisions: new Map([[peer, decision]]) });
    } else if (row?.decisions.delete(peer) && row.decisions.size === 0) this.#rows.delete(key);
  }
}

function copy<K, V>(
  to: Pick<Map<K, V>, 'delete'> & { set(key: K, value: V): void },
  from: ReadonlyMap<K, V>,
  keys: Iterable<K>,
): void {
  for (const key of keys) {
    const value = from.get(key);
    if (value === undefined) to.delete(key);
    else to.set(key, value);
  }
}
