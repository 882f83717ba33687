import { mapDefinitions } from '../../maps/generated/abi.ts';
import { type ControlMap, controlMaps, type DesiredMaps, type MapContents, type RawEntry } from '../entry.ts';

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

/** Maps whose entries permit something: to remove or to change one may take a permission back. */
const permitting: readonly ControlMap[] = ['networks', 'endpoints', 'published', 'publishedLo'];

/** Their values belong to the datapath, which counts in them. */
const keysOnly: readonly ControlMap[] = ['denyList'];

/**
 * What makes the kernel's maps equal to the desired ones.
 *
 * Writes go from what restricts to what permits and removals the other way round, and all writes go first: a flow that
 * keeps its permission never finds a hole, and nothing is permitted before its restrictions stand.
 */
export function planMaps(desired: DesiredMaps, observed: Readonly<Record<ControlMap, MapContents>>): MapChanges {
  const all = controlMaps.map((map) => difference(map, desired[map], observed[map]));
  const changes = [
    ...all.map(({ map, set }) => ({ map, set, remove: [] })),
    ...all.map(({ map, remove }) => ({ map, set: [], remove })).reverse(),
  ].filter((change) => change.set.length + change.remove.length > 0);
  const count = changes.reduce((sum, change) => sum + change.set.length + change.remove.length, 0);
  const revokes = all.some(({ map, takes }) => takes && permitting.includes(map));
  return { changes, count, revokes };
}

function difference(map: ControlMap, desired: MapContents, observed: MapContents) {
  const set: RawEntry[] = [];
  const remove: Uint8Array[] = [];
  let takes = false;
  const isArray = mapDefinitions[map].type === 'array';
  for (const [text, entry] of desired) {
    const found = observed.get(text);
    if (found && (keysOnly.includes(map) || sameBytes(found.value, entry.value))) continue;
    // What is observed of an array is without its elements of zeros.
    if (!found && isArray && isZero(entry.value)) continue;
    set.push(entry);
    // An array's element that was all zero permitted nothing.
    if (found && !(isArray && isZero(found.value))) takes = true;
  }
  for (const [text, { key, value }] of observed) {
    if (desired.has(text)) continue;
    if (!isArray) remove.push(key);
    else if (!isZero(value)) set.push({ key, value: new Uint8Array(value.length) });
    else continue;
    takes = true;
  }
  return { map, set, remove, takes };
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
