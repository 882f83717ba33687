import type { MapDefinition, MapType } from './definition.ts';
import { bytesOutsideHeap, perCpuStride, possibleCpus, RawMap } from './raw-map.ts';

/** A map with one value a possible CPU. It owns its descriptor. */
export class PerCpuMap<K, V> implements Disposable {
  readonly raw: RawMap;
  readonly definition: MapDefinition<K, V, MapType>;
  readonly #key: Uint8Array;
  readonly #values: Uint8Array;
  readonly #stride: number;

  /** Takes over the descriptor. */
  constructor(fd: number, definition: MapDefinition<K, V, MapType>) {
    this.raw = new RawMap(fd);
    this.definition = definition;
    this.#stride = perCpuStride(definition.value.size);
    if (this.raw.keySize !== definition.key.size || this.raw.valueSize !== this.#stride * possibleCpus()) {
      throw new RangeError(`map ${definition.name} has keys or values of another size than its definition`);
    }
    this.#key = bytesOutsideHeap(definition.key.size);
    this.#values = bytesOutsideHeap(this.raw.valueSize);
  }

  get fd(): number {
    return this.raw.fd;
  }

  /** The values in the order of the CPUs' numbers. */
  get(key: K): V[] | undefined {
    this.definition.key.encode(key, this.#key, 0);
    return this.raw.lookup(this.#key, this.#values) ? this.#decode(this.#values) : undefined;
  }

  /** @param values one a possible CPU. */
  set(key: K, values: readonly V[]): void {
    if (values.length !== possibleCpus()) {
      throw new RangeError(`map ${this.definition.name} takes ${possibleCpus()} values, not ${values.length}`);
    }
    this.definition.key.encode(key, this.#key, 0);
    values.forEach((value, cpu) => {
      this.definition.value.encode(value, this.#values, cpu * this.#stride);
    });
    this.raw.update(this.#key, this.#values);
  }

  *entries(): Generator<[K, V[]]> {
    for (const [key, values] of this.raw.entries()) yield [this.definition.key.decode(key, 0), this.#decode(values)];
  }

  close(): void {
    this.raw.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #decode(values: Uint8Array): V[] {
    return Array.from({ length: possibleCpus() }, (_, cpu) => this.definition.value.decode(values, cpu * this.#stride));
  }
}
