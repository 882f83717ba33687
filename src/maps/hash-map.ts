import { encoded, encodedAll } from './codec.ts';
import { KeyedMap } from './keyed-map.ts';

/** A hash or LRU hash. */
export class HashMap<K, V> extends KeyedMap<K, V> {
  /** False when there is no such key. */
  delete(key: K): boolean {
    return this.raw.delete(encoded(this.definition.key, key));
  }

  /** Returns how many there were. */
  deleteMany(keys: Iterable<K>): number {
    return this.raw.deleteMany(encodedAll(this.definition.key, keys));
  }

  deleteManyRaw(keys: Iterable<Uint8Array>): number {
    return this.raw.deleteMany(keys);
  }

  /** Counts by reading all of it: the kernel keeps no count. */
  count(): number {
    return this.raw.count();
  }
}
