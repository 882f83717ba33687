import { mapDefinitions } from '../../maps/generated/abi.ts';
import type { RawMap } from '../../maps/raw-map.ts';
import type { ControlMap, RawEntry } from '../entry.ts';

/** The control plane's maps as bytes; `Maps` of src/maps is one. */
export type RawMaps = Readonly<
  Record<
    ControlMap,
    {
      readonly raw: Pick<
        RawMap,
        'lookup' | 'batches' | 'writtenBatches' | 'updateMany' | 'deleteMany' | 'update' | 'delete' | 'maxEntries'
      >;
    }
  >
>;

/** What a map holds now; of an array, the elements that are not zero. */
export function* entriesOf(maps: RawMaps, map: ControlMap): Generator<RawEntry> {
  const { raw } = maps[map];
  const batches = mapDefinitions[map].type === 'array' ? raw.writtenBatches() : raw.batches();
  for (const batch of batches) for (const [key, value] of batch) yield { key, value };
}
