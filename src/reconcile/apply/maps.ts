import { mapDefinitions } from '../../maps/generated/abi.ts';
import type { MapEntry } from '../entry.ts';
import type { RawMaps } from '../observed/maps.ts';
import type { MapChange } from '../plan/maps.ts';

/** Applies changes in their order. What fails is told and does not keep the rest from being done. */
export function applyMaps(maps: RawMaps, changes: readonly MapChange[], failed: (error: unknown) => void): void {
  for (const { map, set, remove } of changes) {
    try {
      const { raw } = maps[map];
      if (set.length > 0) raw.updateMany(set.map(({ key, value }) => [key, value]));
      if (remove.length > 0) raw.deleteMany(remove);
    } catch (error) {
      failed(error);
    }
  }
}

/** The fast path: a few entries, in the order given. @throws VetchError MAP_FULL */
export function setEntries(maps: RawMaps, entries: Iterable<MapEntry>): void {
  for (const { map, key, value } of entries) maps[map].raw.update(key, value);
}

/** Removes entries in the order given; those that are not there are passed over. An array's elements become zero. */
export function deleteEntries(maps: RawMaps, entries: Iterable<MapEntry>): void {
  for (const { map, key, value } of entries) {
    const { raw } = maps[map];
    if (mapDefinitions[map].type === 'array') raw.update(key, new Uint8Array(value.length));
    else raw.delete(key);
  }
}
