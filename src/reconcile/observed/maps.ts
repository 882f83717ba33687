import { type ControlMap, contentsOf, controlMaps, type MapContents, type RawEntry } from '../entry.ts';

/** What reconcile needs of a map: bytes in batches. Every typed map of src/maps that can be iterated is one. */
export interface RawMap {
  rawEntries(): Iterable<readonly [Uint8Array, Uint8Array]>;
  setManyRaw(entries: Iterable<readonly [Uint8Array, Uint8Array]>): void;
  /** Absent of an array, whose elements are always there. */
  deleteManyRaw?(keys: Iterable<Uint8Array>): void;
}

export type RawMaps = Readonly<Record<ControlMap, RawMap>>;

/** Everything that the control plane's maps hold now. */
export function observeMaps(maps: RawMaps): Readonly<Record<ControlMap, MapContents>> {
  return Object.fromEntries(controlMaps.map((map) => [map, contentsOf(entriesOf(maps[map]))])) as Record<
    ControlMap,
    MapContents
  >;
}

function* entriesOf(map: RawMap): Generator<RawEntry> {
  for (const [key, value] of map.rawEntries()) yield { key, value };
}
