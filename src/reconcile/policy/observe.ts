import { setImmediate } from 'node:timers/promises';
import { u32Codec } from '../../maps/codec.ts';
import {
  blockKeyCodec,
  DecisionKind,
  DecisionLayout,
  LearnedFlag,
  learnedKeyCodec,
  policyKeyCodec,
  standingCodec,
} from '../../maps/generated/abi.ts';
import type { RawMap } from '../../maps/raw-map.ts';
import { formatPrefix } from '../../model/address.ts';
import { IDENTITY_WORLD } from '../../policy/decision.ts';
import {
  type LearnedIdentity,
  type PolicyPair,
  type PolicyTables,
  type PortEntry,
  pairKey,
  type Standing,
  type Standings,
} from '../../policy/tables.ts';
import type { RawEntry } from '../entry.ts';
import {
  decodeLearnedKey,
  decodePortEntry,
  type HalvedMap,
  halvedMaps,
  isAbsent,
  learnedHalf,
  policyHalf,
} from './encode.ts';

/** Policy's maps as bytes; `Maps` of src/maps is one. */
export type PolicyRawMaps = Readonly<
  Record<
    HalvedMap | 'policyPorts',
    {
      readonly raw: Pick<
        RawMap,
        'batches' | 'writtenBatches' | 'update' | 'delete' | 'updatePacked' | 'deletePacked' | 'maxEntries'
      >;
    }
  >
>;

/** An entry whose halves differ: a change was cut short, or somebody else wrote. */
export interface TornEntry extends RawEntry {
  readonly map: HalvedMap;
}

export interface ObservedPolicy {
  /** What packets are judged by. */
  readonly tables: PolicyTables;
  readonly torn: readonly TornEntry[];
}

/** What a program makes of an entry that is not its key's. */
const denied = (DecisionKind.DENY << DecisionLayout.KIND_SHIFT) >>> 0;
const nobody: Standing = { identity: 0, flags: 0 };

/**
 * Reads all that the kernel holds of policy.
 *
 * @param parity of the permissions' generation
 * @param known who is likely to be who: given back as it is, if that is what the kernel holds. Default: nobody is known
 */
export async function observePolicy(
  maps: PolicyRawMaps,
  parity: number,
  known: PolicyTables['standings'] = new Map(),
): Promise<ObservedPolicy> {
  const isKnown = await holdsStandings(maps, known);
  const torn: TornEntry[] = [];
  const slots = new Map<number, Standing>();
  const blocks = new Map<string, number>();
  const learned = new Map<string, LearnedIdentity>();
  const pairs = new Map<string, PolicyPair>();
  const portSets = new Map<number, PortEntry[]>();
  for await (const [map, key, value] of entriesOf(maps, [
    ...(isKnown ? [] : (['identities'] as const)),
    ...(['addressBlocks', 'learned', 'policy'] as const),
  ])) {
    const { size } = halvedMaps[map].half;
    const half = value.subarray(parity * size, (parity + 1) * size);
    const other = value.subarray((1 - parity) * size, (2 - parity) * size);
    if (Buffer.compare(half, other) !== 0) torn.push({ map, key, value });
    if (isAbsent(map, half)) continue;
    if (map === 'identities') slots.set(u32Codec.decode(key), standingCodec.decode(half));
    else if (map === 'addressBlocks') blocks.set(cidrOf(key), u32Codec.decode(half));
    else if (map === 'learned') {
      const { identity, flags } = halvedMaps.learned.half.decode(half);
      const expired = (flags & LearnedFlag.EXPIRED) !== 0;
      const isRight = flags === learnedHalf(learnedKeyCodec.decode(key), { identity, expired }).flags;
      learned.set(decodeLearnedKey(key), isRight ? { identity, expired } : { identity: IDENTITY_WORLD, expired });
    } else {
      const { subject, peer, direction } = policyKeyCodec.decode(key);
      const { decision, check } = halvedMaps.policy.half.decode(half);
      const isRight = check === policyHalf({ subject, peer, direction }, decision).check;
      const pair = {
        subject,
        peer,
        direction: direction === 0 ? 0 : 1,
        decision: isRight ? decision : denied,
      } as const;
      pairs.set(pairKey(subject, peer, pair.direction), pair);
    }
  }
  for await (const [, key, value] of entriesOf(maps, ['policyPorts'])) {
    const { set, entry } = decodePortEntry({ key, value });
    const entries = portSets.get(set);
    if (entries) entries.push(entry);
    else portSets.set(set, [entry]);
  }
  return { tables: { standings: isKnown ? known : standingsOf(slots), blocks, learned, pairs, portSets }, torn };
}

/** Whether `identities` holds exactly these, in both halves. A cluster's hundred thousand are compared, and nothing is made of them. */
async function holdsStandings({ identities: { raw } }: PolicyRawMaps, standings: PolicyTables['standings']) {
  let missing = 0;
  for (const { v4, v6 } of standings.values()) missing += Number(isSomebody(v4)) + Number(isSomebody(v6));
  const { half } = halvedMaps.identities;
  for (const batch of raw.writtenBatches()) {
    for (const [key, value] of batch) {
      const slot = u32Codec.decode(key);
      const both = standings.get(slot >> 1);
      const wanted = (slot & 1) === 0 ? both?.v4 : both?.v6;
      for (const at of [0, half.size]) {
        const { identity, flags } = half.decode(value, at);
        if (identity !== wanted?.identity || flags !== wanted.flags) return false;
      }
      missing--;
    }
    await setImmediate();
  }
  return missing === 0;
}

function isSomebody({ identity, flags }: Standing): boolean {
  return identity !== 0 || flags !== 0;
}

/** Entry by entry; other work runs between two maps, and now and then within one. */
async function* entriesOf<M extends keyof PolicyRawMaps>(
  maps: PolicyRawMaps,
  names: readonly M[],
): AsyncGenerator<readonly [M, Uint8Array, Uint8Array]> {
  for (const name of names) {
    const { raw } = maps[name];
    for (const batch of name === 'identities' ? raw.writtenBatches() : raw.batches()) {
      for (const [key, value] of batch) yield [name, key, value];
      await setImmediate();
    }
  }
}

function standingsOf(slots: ReadonlyMap<number, Standing>): Map<number, Standings> {
  const standings = new Map<number, Standings>();
  for (const slot of slots.keys()) {
    const number = slot >> 1;
    standings.set(number, { v4: slots.get(2 * number) ?? nobody, v6: slots.get(2 * number + 1) ?? nobody });
  }
  return standings;
}

function cidrOf(key: Uint8Array): string {
  const { prefixlen, addr } = blockKeyCodec.decode(key);
  return formatPrefix({ address: addr, prefixLength: prefixlen - 32 });
}
