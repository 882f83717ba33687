import { check } from '../loader/check.ts';
import { mapCreate, sizes } from '../loader/ffi/libbpf.ts';
import { type Codec, encoded, encodedAll, encodedEntries, u32Codec } from './codec.ts';
import { type MapType, mapTypes } from './definition.ts';
import { RawMap } from './raw-map.ts';

/** What a map is made of. */
export interface MapShape {
  /** At most 15 characters. */
  readonly name: string;
  readonly type: MapType;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** `BPF_F_*`; default 0. */
  readonly flags?: number;
}

/** Makes a map that no object declares: an inner one. The caller closes the descriptor. */
export function createMap({ name, type, keySize, valueSize, maxEntries, flags = 0 }: MapShape): number {
  const options = { sz: sizes.mapCreateOpts, map_flags: flags };
  const result = mapCreate(mapTypes.indexOf(type), name, keySize, valueSize, maxEntries, options);
  return check(result, 'create the map', name);
}

/**
 * A hash or array whose values are maps. The kernel keeps an inner map alive as long as it is in the outer one.
 *
 * One update waits for a grace period (8.6 ms), a batch of a thousand hardly longer: gather changes.
 */
export class MapInMap<K> implements Disposable {
  readonly raw: RawMap;
  readonly #key: Codec<K>;

  /** Takes over the descriptor. */
  constructor(fd: number, key: Codec<K>) {
    this.raw = new RawMap(fd);
    this.#key = key;
  }

  get fd(): number {
    return this.raw.fd;
  }

  /** The id of the inner map: `openById('map', id)` opens it. */
  get(key: K): number | undefined {
    const value = encoded(u32Codec, 0);
    return this.raw.lookup(encoded(this.#key, key), value) ? u32Codec.decode(value) : undefined;
  }

  /** @param inner a descriptor; it may be closed afterwards. */
  set(key: K, inner: number): void {
    this.raw.update(encoded(this.#key, key), encoded(u32Codec, inner));
  }

  setMany(entries: Iterable<readonly [K, inner: number]>): void {
    this.raw.updateMany(encodedEntries(this.#key, u32Codec, entries));
  }

  delete(key: K): boolean {
    return this.raw.delete(encoded(this.#key, key));
  }

  deleteMany(keys: Iterable<K>): number {
    return this.raw.deleteMany(encodedAll(this.#key, keys));
  }

  /** Keys, and the ids of the inner maps. */
  *entries(): Generator<[K, number]> {
    for (const [key, value] of this.raw.entries()) yield [this.#key.decode(key, 0), u32Codec.decode(value)];
  }

  close(): void {
    this.raw.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
