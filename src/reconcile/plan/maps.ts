import { mapDefinitions } from '../../maps/generated/abi.ts';
import type { ControlMap, RawEntry } from '../entry.ts';
import type { PackedContents } from '../packed-contents.ts';

/** What one map needs. */
export interface MapChange {
  readonly map: ControlMap;
  readonly set: readonly RawEntry[];
  readonly remove: readonly Uint8Array[];
}

export interface MapChanges {
  /** Entries to write, then entries to remove, each in an order that is safe while packets flow. */
  readonly changes: readonly MapChange[];
  /** How many entries differ. */
  readonly count: number;
  /** Something that was permitted no longer is: the permissions' generation has to go up when all is applied. */
  readonly revokes: boolean;
}

/**
 * Maps whose entries permit something: to remove or to change one may take a permission back. Whose an address is decides who
 * answers what is asked of it, which `xdp_uplink` takes from an earlier packet.
 */
const permitting: readonly ControlMap[] = ['networks', 'endpoints', 'nodeAddrs', 'published', 'publishedLo'];

/** Their values belong to the datapath, which counts in them. */
const keysOnly: readonly ControlMap[] = ['denyList'];

/** What one map needs, and whether it takes anything away. */
export interface MapDifference extends MapChange {
  readonly takes: boolean;
}

/**
 * What makes the kernel's maps equal to the desired ones.
 *
 * Writes go from what restricts to what permits and removals the other way round, and all writes go first: a flow that
 * keeps its permission never finds a hole, and nothing is permitted before its restrictions stand.
 *
 * @param all one for each map, in the order of `controlMaps`
 */
export function planMaps(all: readonly MapDifference[]): MapChanges {
  const changes = [
    ...all.map(({ map, set }) => ({ map, set, remove: [] })),
    ...all.map(({ map, remove }) => ({ map, set: [], remove })).reverse(),
  ].filter((change) => change.set.length + change.remove.length > 0);
  const count = changes.reduce((sum, change) => sum + change.set.length + change.remove.length, 0);
  const revokes = all.some(({ map, takes }) => takes && permitting.includes(map));
  return { changes, count, revokes };
}

/** @param observed is gone through once and not kept: a host's maps are larger than its intent */
export function differenceOf(map: ControlMap, desired: PackedContents, observed: Iterable<RawEntry>): MapDifference {
  const set: RawEntry[] = [];
  const remove: Uint8Array[] = [];
  const isArray = mapDefinitions[map].type === 'array';
  const ignoresValue = keysOnly.includes(map);
  const found = new Uint8Array(desired.size);
  let takes = false;
  for (const { key, value } of observed) {
    const index = desired.indexOf(key);
    if (index !== -1) {
      found[index] = 1;
      if (ignoresValue || desired.hasValue(index, value)) continue;
      set.push(desired.at(index));
    } else if (isArray) {
      if (isZero(value)) continue;
      set.push({ key, value: new Uint8Array(value.length) });
    } else {
      remove.push(key);
    }
    // An array's element that was all zero permitted nothing.
    if (!(isArray && isZero(value))) takes = true;
  }
  for (let index = 0; index < desired.size; index++) {
    if (found[index] === 1) continue;
    const entry = desired.at(index);
    // What is observed of an array is without its elements of zeros.
    if (!(isArray && isZero(entry.value))) set.push(entry);
  }
  return { map, set, remove, takes };
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
