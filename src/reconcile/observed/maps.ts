import { setImmediate } from 'node:timers/promises';
import { mapDefinitions } from '../../maps/generated/abi.ts';
import type { RawMap } from '../../maps/raw-map.ts';
import { type ControlMap, contentsOf, controlMaps, type MapContents, type RawEntry } from '../entry.ts';

/** The control plane's maps as bytes; `Maps` of src/maps is one. */
export type RawMaps = Readonly<
  Record<
    ControlMap,
    { readonly raw: Pick<RawMap, 'entries' | 'updateMany' | 'deleteMany' | 'update' | 'delete' | 'maxEntries'> }
  >
>;

const zeros = new Uint8Array(512);

/** Everything that the control plane's maps hold now; of arrays, the elements that are not zero. */
export async function observeMaps(maps: RawMaps): Promise<Readonly<Record<ControlMap, MapContents>>> {
  const observed: Partial<Record<ControlMap, MapContents>> = {};
  for (const map of controlMaps) {
    observed[map] = contentsOf(entriesOf(maps, map));
    await setImmediate();
  }
  return observed as Record<ControlMap, MapContents>;
}

function* entriesOf(maps: RawMaps, map: ControlMap): Generator<RawEntry> {
  const isArray = mapDefinitions[map].type === 'array';
  for (const [key, value] of maps[map].raw.entries()) {
    if (!isArray || Buffer.compare(value, zeros.subarray(0, value.length)) !== 0) yield { key, value };
  }
}
