import type { RawMap } from '../../maps/raw-map.ts';
import { type ControlMap, contentsOf, controlMaps, type MapContents, type RawEntry } from '../entry.ts';

/** The control plane's maps as bytes; `Maps` of src/maps is one. */
export type RawMaps = Readonly<
  Record<
    ControlMap,
    { readonly raw: Pick<RawMap, 'entries' | 'updateMany' | 'deleteMany' | 'update' | 'delete' | 'maxEntries'> }
  >
>;

/** Everything that the control plane's maps hold now. */
export function observeMaps(maps: RawMaps): Readonly<Record<ControlMap, MapContents>> {
  return Object.fromEntries(controlMaps.map((map) => [map, contentsOf(entriesOf(maps, map))])) as Record<
    ControlMap,
    MapContents
  >;
}

function* entriesOf(maps: RawMaps, map: ControlMap): Generator<RawEntry> {
  for (const [key, value] of maps[map].raw.entries()) yield { key, value };
}
