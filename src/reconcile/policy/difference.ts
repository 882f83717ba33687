import { DecisionLayout } from '../../maps/generated/abi.ts';
import type { PairChange } from '../../policy/compile/pair-table.ts';
import type { PolicyChanges } from '../../policy/compiler.ts';
import {
  type LearnedIdentity,
  type PolicyTables,
  pairKey,
  type Standing,
  type Standings,
} from '../../policy/tables.ts';
import { contentsOf, type RawEntry } from '../entry.ts';
import { shorterBlock } from './blocks.ts';
import { blockHalf, type Half, learnedHalf, pairHalf, portSetEntries, standingHalves } from './encode.ts';

/** What one key says before a change and after it. */
export interface HalfChange extends Pick<Half, 'map' | 'key'> {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Nothing was there before it. */
  readonly isNew: boolean;
  /** Nothing is left of it when the change is over. */
  readonly isGone: boolean;
}

export interface PolicyDifference {
  readonly halves: readonly HalfChange[];
  /** Entries of port sets that come: nobody refers to them yet, unless a set is repaired. */
  readonly newPorts: readonly (RawEntry & { readonly isNew: boolean })[];
  /** Keys of port sets that go: after the change nobody refers to them. */
  readonly oldPorts: readonly Uint8Array[];
}

const nobody: Standing = { identity: 0, flags: 0 };
const noStandings: Standings = { v4: nobody, v6: nobody };

/** Every key that either has. */
export function allKeys(before: PolicyTables, after: PolicyTables): PolicyChanges {
  return {
    standings: keysOf(before.standings, after.standings),
    blocks: keysOf(before.blocks, after.blocks),
    learned: keysOf(before.learned, after.learned),
    pairs: allPairs(before, after),
    portSets: keysOf(before.portSets, after.portSets),
  };
}

/** What takes the kernel from one state of policy to another. @param keys that may differ; others are not looked at */
export function policyDifference(before: PolicyTables, after: PolicyTables, keys: PolicyChanges): PolicyDifference {
  const [newPorts, oldPorts]: [(RawEntry & { readonly isNew: boolean })[], Uint8Array[]] = [[], []];
  for (const set of keys.portSets) {
    const [was, is] = [before, after].map((tables) => contentsOf(portSetEntries(set, tables.portSets.get(set) ?? [])));
    // A set that is in both is the same, unless somebody else has written into it.
    for (const [key, entry] of is ?? []) {
      const before = was?.get(key);
      if (!sameValue(before, entry)) newPorts.push({ ...entry, isNew: before === undefined });
    }
    for (const [key, entry] of was ?? []) if (!is?.has(key)) oldPorts.push(entry.key);
  }
  return {
    halves: [
      ...standingChanges(before, after, keys.standings),
      ...blockChanges(before, after, keys.blocks),
      ...learnedChanges(before, after, keys.learned),
      ...pairChanges(before, keys.pairs),
    ],
    newPorts,
    oldPorts,
  };
}

export function isEmpty({ halves, newPorts, oldPorts }: PolicyDifference): boolean {
  return halves.length + newPorts.length + oldPorts.length === 0;
}

/** An array's slots are never gone, but empty. */
function* standingChanges(before: PolicyTables, after: PolicyTables, keys: Iterable<number>): Generator<HalfChange> {
  for (const number of keys) {
    const [was, is] = [before.standings.get(number) ?? noStandings, after.standings.get(number) ?? noStandings];
    const [old, now] = [standingHalves(number, was), standingHalves(number, is)];
    for (const family of [0, 1] as const) {
      if (Buffer.compare(old[family].value, now[family].value) !== 0) yield change(old[family], now[family]);
    }
  }
}

function* blockChanges(before: PolicyTables, after: PolicyTables, keys: Iterable<string>): Generator<HalfChange> {
  for (const cidr of keys) {
    const [was, is] = [before.blocks.get(cidr), after.blocks.get(cidr)];
    if (was === is) continue;
    // Where a parity has no such prefix, its half says what the next shorter one says: it must not hide it.
    const old = blockHalf(cidr, was ?? shorterBlock(before.blocks, cidr));
    const now = blockHalf(cidr, is ?? shorterBlock(after.blocks, cidr));
    yield { ...change(old, now), isNew: was === undefined, isGone: is === undefined };
  }
}

const notLearned: LearnedIdentity = { identity: 0, expired: false };

function* learnedChanges(before: PolicyTables, after: PolicyTables, keys: Iterable<string>): Generator<HalfChange> {
  for (const key of keys) {
    const [was, is] = [before.learned.get(key), after.learned.get(key)];
    if (was?.identity === is?.identity && was?.expired === is?.expired) continue;
    const [old, now] = [learnedHalf(key, was ?? notLearned), learnedHalf(key, is ?? notLearned)];
    yield { ...change(old, now), isNew: was === undefined, isGone: is === undefined };
  }
}

function* pairChanges(before: PolicyTables, changes: Iterable<PairChange>): Generator<HalfChange> {
  for (const { subject, peer, direction, decision } of changes) {
    const was = before.pairs.get(pairKey(subject, peer, direction))?.decision;
    if (was === decision) continue;
    const half = (word = DecisionLayout.ABSENT as number) => pairHalf({ subject, peer, direction, decision: word });
    yield { ...change(half(was), half(decision)), isNew: was === undefined, isGone: decision === undefined };
  }
}

/** Of every pair that either has, what it is to be. */
function allPairs(before: PolicyTables, after: PolicyTables): PairChange[] {
  const gone = [...before.pairs].filter(([key]) => !after.pairs.has(key)).map(([, pair]) => pair);
  return [...after.pairs.values(), ...gone.map((pair) => ({ ...pair, decision: undefined }))];
}

function change(old: Half, now: Half): HalfChange {
  return { map: now.map, key: now.key, before: old.value, after: now.value, isNew: false, isGone: false };
}

function sameValue(a: RawEntry | undefined, b: RawEntry): boolean {
  return a !== undefined && Buffer.compare(a.value, b.value) === 0;
}

function keysOf<K>(a: ReadonlyMap<K, unknown>, b: ReadonlyMap<K, unknown>): Set<K> {
  return new Set([...a.keys(), ...b.keys()]);
}
