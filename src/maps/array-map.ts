import { VetchError } from '../api/error.ts';
import { KeyedMap } from './keyed-map.ts';
import type { UpdateFlag } from './raw-map.ts';

/** An array: every index below its capacity has a value, zeros at first; nothing can be deleted. */
export class ArrayMap<V> extends KeyedMap<number, V> {
  /** @throws {VetchError} MAP_FULL when the index is not within the array. */
  override set(index: number, value: V, flag: UpdateFlag = 'any'): void {
    if (index >= this.raw.maxEntries) {
      throw new VetchError(
        'MAP_FULL',
        `the map ${this.definition.name} has ${this.raw.maxEntries} slots, and no slot ${index}`,
        `raise mapSizes.${this.definition.name} in /etc/vetch/vetch.yaml and restart the daemon`,
      );
    }
    super.set(index, value, flag);
  }

  /** Slots, used or not. */
  count(): number {
    return this.raw.maxEntries;
  }
}
