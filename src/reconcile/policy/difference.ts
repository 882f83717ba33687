import type { PolicyTables, Standing, Standings } from '../../policy/tables.ts';
import type { RawEntry } from '../entry.ts';
import { shorterBlock } from './blocks.ts';
import { blockHalf, type Half, halfSize, pairHalf, portSetEntries, standingHalves } from './encode.ts';

/** What one key says before a change and after it. */
export interface HalfChange extends Pick<Half, 'map' | 'key'> {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  /** Nothing is left of it when the change is over. */
  readonly gone: boolean;
}

export interface PolicyDifference {
  readonly halves: readonly HalfChange[];
  /** Entries of port sets that come: nobody refers to them yet. */
  readonly newPorts: readonly RawEntry[];
  /** Keys of port sets that go: after the change nobody refers to them. */
  readonly oldPorts: readonly Uint8Array[];
}

const nobody: Standing = { identity: 0, flags: 0 };
const noStandings: Standings = { v4: nobody, v6: nobody };

/** What takes the kernel from one state of policy to another, without what they share. */
export function policyDifference(before: PolicyTables, after: PolicyTables): PolicyDifference {
  return {
    halves: [...standingChanges(before, after), ...blockChanges(before, after), ...pairChanges(before, after)],
    newPorts: [...after.portSets]
      .filter(([set]) => !before.portSets.has(set))
      .flatMap(([set, ports]) => portSetEntries(set, ports)),
    oldPorts: [...before.portSets]
      .filter(([set]) => !after.portSets.has(set))
      .flatMap(([set, ports]) => portSetEntries(set, ports).map(({ key }) => key)),
  };
}

function* standingChanges(before: PolicyTables, after: PolicyTables): Generator<HalfChange> {
  for (const number of keysOf(before.standings, after.standings)) {
    const [was, is] = [before.standings.get(number) ?? noStandings, after.standings.get(number) ?? noStandings];
    if (was === is) continue;
    const [old, now] = [standingHalves(number, was), standingHalves(number, is)];
    if (!sameStanding(was.v4, is.v4)) yield change(old[0], now[0]);
    if (!sameStanding(was.v6, is.v6)) yield change(old[1], now[1]);
  }
}

function* blockChanges(before: PolicyTables, after: PolicyTables): Generator<HalfChange> {
  for (const cidr of keysOf(before.blocks, after.blocks)) {
    const [was, is] = [before.blocks.get(cidr), after.blocks.get(cidr)];
    if (was === is) continue;
    // Where a parity has no such prefix, its half says what the next shorter one says: it must not hide it.
    const old = blockHalf(cidr, was ?? shorterBlock(before.blocks, cidr));
    const now = blockHalf(cidr, is ?? shorterBlock(after.blocks, cidr));
    yield { ...change(old, now), gone: is === undefined };
  }
}

function* pairChanges(before: PolicyTables, after: PolicyTables): Generator<HalfChange> {
  for (const [key, pair] of after.pairs) {
    const was = before.pairs.get(key);
    if (was?.decision === pair.decision) continue;
    const now = pairHalf(pair);
    yield {
      map: 'policy',
      key: now.key,
      before: was ? pairHalf(was).value : absent('policy'),
      after: now.value,
      gone: false,
    };
  }
  for (const [key, pair] of before.pairs) {
    if (after.pairs.has(key)) continue;
    const old = pairHalf(pair);
    yield { map: 'policy', key: old.key, before: old.value, after: absent('policy'), gone: true };
  }
}

function change(old: Half, now: Half): HalfChange {
  return { map: now.map, key: now.key, before: old.value, after: now.value, gone: false };
}

function absent(map: Half['map']): Uint8Array {
  return new Uint8Array(halfSize[map]);
}

function sameStanding(a: Standing, b: Standing): boolean {
  return a.identity === b.identity && a.flags === b.flags;
}

function keysOf<K>(a: ReadonlyMap<K, unknown>, b: ReadonlyMap<K, unknown>): Set<K> {
  return new Set([...a.keys(), ...b.keys()]);
}
