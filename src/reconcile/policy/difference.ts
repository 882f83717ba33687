import { u32Codec } from '../../maps/codec.ts';
import { DecisionLayout, policyPortKeyCodec } from '../../maps/generated/abi.ts';
import { PackedEntries } from '../../maps/packed-entries.ts';
import type { PairChange } from '../../policy/compile/pair-table.ts';
import type { PolicyChanges } from '../../policy/compiler.ts';
import type { LearnedIdentity, PolicyTables, PortEntry, Standing, Standings } from '../../policy/tables.ts';
import type { AppliedTables } from './applied.ts';
import { shorterBlock } from './blocks.ts';
import { blockKey, type HalvedMap, halvedMaps, learnedHalf, learnedMapKey, policyHalf, portKey } from './encode.ts';
import { HalfChanges } from './half-changes.ts';

/** Entries of `policy_ports`, which have no halves. */
interface PortChanges {
  /** Of sets that nobody refers to yet. */
  readonly come: PackedEntries;
  /** That somebody else has written over. */
  readonly repaired: PackedEntries;
  /** After the change nobody refers to them. */
  readonly go: PackedEntries;
}

export interface PolicyDifference {
  readonly halves: Readonly<Record<HalvedMap, Pick<HalfChanges<unknown, unknown>, 'entries'>>>;
  readonly ports: PortChanges;
  /** Entries that differ. */
  readonly count: number;
}

const nobody: Standing = { identity: 0, flags: 0 };
const noPorts: readonly PortEntry[] = [];
const noStandings: Standings = { v4: nobody, v6: nobody };

/** Every key of which they may not say the same. */
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
export function policyDifference(before: AppliedTables, after: PolicyTables, keys: PolicyChanges): PolicyDifference {
  const halves = {
    identities: standingChanges(before, after, keys.standings),
    addressBlocks: blockChanges(before, after, keys.blocks),
    learned: learnedChanges(before, after, keys.learned),
    policy: pairChanges(before, keys.pairs),
  };
  const ports = portChanges(before, after, keys.portSets);
  const parts = [...Object.values(halves), ...Object.values(ports)];
  return { halves, ports, count: parts.reduce((sum, { count }) => sum + count, 0) };
}

/** An array's slots are never gone, but empty. */
function standingChanges(before: PolicyTables, after: PolicyTables, numbers: Iterable<number>) {
  const { key, half } = halvedMaps.identities;
  const changes = new HalfChanges(key, half);
  for (const number of numbers) {
    const [was, is] = [before.standings.get(number) ?? noStandings, after.standings.get(number) ?? noStandings];
    // The two slots of an endpoint: of its IPv4 address, and of its IPv6 one.
    if (!sameStanding(was.v4, is.v4)) changes.add(2 * number, was.v4, is.v4, 'stays');
    if (!sameStanding(was.v6, is.v6)) changes.add(2 * number + 1, was.v6, is.v6, 'stays');
  }
  return changes;
}

function blockChanges(before: PolicyTables, after: PolicyTables, cidrs: Iterable<string>) {
  const { key, half } = halvedMaps.addressBlocks;
  const changes = new HalfChanges(key, half);
  for (const cidr of cidrs) {
    const [was, is] = [before.blocks.get(cidr), after.blocks.get(cidr)];
    if (was === is) continue;
    // Where a parity has no such prefix, its half says what the next shorter one says: it must not hide it.
    const [old, now] = [was ?? shorterBlock(before.blocks, cidr), is ?? shorterBlock(after.blocks, cidr)];
    changes.add(blockKey(cidr), old, now, lifeOf(was, is));
  }
  return changes;
}

const notLearned: LearnedIdentity = { identity: 0, expired: false };

function learnedChanges(before: PolicyTables, after: PolicyTables, keys: Iterable<string>) {
  const { key, half } = halvedMaps.learned;
  const changes = new HalfChanges(key, half);
  for (const text of keys) {
    const [was, is] = [before.learned.get(text), after.learned.get(text)];
    if (was?.identity === is?.identity && was?.expired === is?.expired) continue;
    const mapKey = learnedMapKey(text);
    const [old, now] = [learnedHalf(mapKey, was ?? notLearned), learnedHalf(mapKey, is ?? notLearned)];
    changes.add(mapKey, old, now, lifeOf(was, is));
  }
  return changes;
}

function pairChanges(before: AppliedTables, pairs: Iterable<PairChange>) {
  const { key, half } = halvedMaps.policy;
  const changes = new HalfChanges(key, half);
  for (const pair of pairs) {
    const [was, is] = [before.decision(pair), pair.decision];
    if (was === is) continue;
    const [old, now] = [was ?? DecisionLayout.ABSENT, is ?? DecisionLayout.ABSENT];
    changes.add(pair, policyHalf(pair, old), policyHalf(pair, now), lifeOf(was, is));
  }
  return changes;
}

function portChanges(before: PolicyTables, after: PolicyTables, sets: Iterable<number>): PortChanges {
  const [come, repaired, go] = [packedPorts(), packedPorts(), packedPorts()];
  for (const set of sets) {
    const [was, is] = [before.portSets.get(set) ?? noPorts, after.portSets.get(set) ?? noPorts];
    // A set that is in both is the same, unless somebody else has written into it.
    for (const entry of is) {
      const old = findPorts(was, entry);
      if (old === undefined) addPorts(come, set, entry);
      else if (old.decision !== entry.decision) addPorts(repaired, set, entry);
    }
    for (const entry of was) if (findPorts(is, entry) === undefined) addPorts(go, set, entry);
  }
  return { come, repaired, go };
}

function packedPorts(): PackedEntries {
  return new PackedEntries(policyPortKeyCodec.size, u32Codec.size);
}

function addPorts(packed: PackedEntries, set: number, entry: PortEntry): void {
  const index = packed.add();
  policyPortKeyCodec.encode(portKey(set, entry), packed.keys, index * packed.keySize);
  u32Codec.encode(entry.decision, packed.values, index * packed.valueSize);
}

/** Of every pair that either has, what it is to be. */
function allPairs(before: PolicyTables, after: PolicyTables): PairChange[] {
  const gone = [...before.pairs].filter(([key]) => !after.pairs.has(key)).map(([, pair]) => pair);
  return [...after.pairs.values(), ...gone.map((pair) => ({ ...pair, decision: undefined }))];
}

function lifeOf(was: unknown, is: unknown) {
  return was === undefined ? 'comes' : is === undefined ? 'goes' : 'stays';
}

function sameStanding(a: Standing, b: Standing): boolean {
  return a.identity === b.identity && a.flags === b.flags;
}

function findPorts(entries: readonly PortEntry[], { protocol, port, bits }: PortEntry): PortEntry | undefined {
  for (const one of entries) if (one.protocol === protocol && one.port === port && one.bits === bits) return one;
  return undefined;
}

/** Of a cluster's hundred thousand almost all are the very same object. */
function keysOf<K>(a: ReadonlyMap<K, unknown>, b: ReadonlyMap<K, unknown>): Set<K> {
  const keys = new Set<K>();
  for (const [key, value] of a) if (!Object.is(value, b.get(key))) keys.add(key);
  for (const key of b.keys()) if (!a.has(key)) keys.add(key);
  return keys;
}
