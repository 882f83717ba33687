import { encodedEntries } from './codec.ts';
import type { MapDefinition, MapType } from './definition.ts';
import { bytesOutsideHeap, type RawEntry, RawMap, type UpdateFlag } from './raw-map.ts';

/**
 * A map with keys and values of known layout. It owns its descriptor. The methods called `raw` speak bytes, for
 * comparing a whole map without decoding it.
 */
export class KeyedMap<K, V> implements Disposable {
  readonly raw: RawMap;
  readonly definition: MapDefinition<K, V, MapType>;
  readonly #key: Uint8Array;
  readonly #value: Uint8Array;

  /** Takes over the descriptor. */
  constructor(fd: number, definition: MapDefinition<K, V, MapType>) {
    this.raw = new RawMap(fd);
    this.definition = definition;
    if (this.raw.keySize !== definition.key.size || this.raw.valueSize !== definition.value.size) {
      throw new RangeError(
        `map ${definition.name} has keys of ${this.raw.keySize} and values of ${this.raw.valueSize} bytes where ` +
          `${definition.key.size} and ${definition.value.size} belong`,
      );
    }
    this.#key = bytesOutsideHeap(definition.key.size);
    this.#value = bytesOutsideHeap(definition.value.size);
  }

  get fd(): number {
    return this.raw.fd;
  }

  get(key: K): V | undefined {
    this.definition.key.encode(key, this.#key, 0);
    return this.raw.lookup(this.#key, this.#value) ? this.definition.value.decode(this.#value, 0) : undefined;
  }

  /**
   * @throws {VetchError} MAP_FULL.
   * @throws {KernelError} EEXIST or ENOENT when the flag forbids it.
   */
  set(key: K, value: V, flag: UpdateFlag = 'any'): void {
    this.definition.key.encode(key, this.#key, 0);
    this.definition.value.encode(value, this.#value, 0);
    this.raw.update(this.#key, this.#value, flag);
  }

  *entries(): Generator<[K, V]> {
    const { key, value } = this.definition;
    for (const [keyBytes, valueBytes] of this.raw.entries())
      yield [key.decode(keyBytes, 0), value.decode(valueBytes, 0)];
  }

  /** @throws {VetchError} MAP_FULL; what was written before stays. */
  setMany(entries: Iterable<readonly [K, V]>): void {
    const { key, value } = this.definition;
    this.raw.updateMany(encodedEntries(key, value, entries));
  }

  rawEntries(): Generator<RawEntry> {
    return this.raw.entries();
  }

  setManyRaw(entries: Iterable<RawEntry>): void {
    this.raw.updateMany(entries);
  }

  close(): void {
    this.raw.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
