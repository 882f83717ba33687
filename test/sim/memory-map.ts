import { VetchError } from '../../src/api/error.ts';
import type { MapDefinition } from '../../src/maps/definition.ts';
import { mapDefinitions } from '../../src/maps/generated/abi.ts';
import type { PackedEntries } from '../../src/maps/packed-entries.ts';
import type { RawEntry, RawMap } from '../../src/maps/raw-map.ts';

/** Told of each entry that was written or, without a value, deleted. */
export type Written = (key: Uint8Array, value: Uint8Array | undefined) => void;

type Bytes = Pick<
  RawMap,
  | ('lookup' | 'update' | 'delete' | 'batches' | 'writtenBatches' | 'updateMany' | 'deleteMany')
  | ('updatePacked' | 'deletePacked' | 'maxEntries')
>;

/** Entries of a batch, as the kernel's. */
const batchEntries = 1024;

/** A map as the kernel would have it, in this process. */
export abstract class MemoryMap implements Bytes {
  readonly maxEntries: number;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  written: Written = () => {};

  constructor({ name, key, value, maxEntries }: MapDefinition) {
    this.name = name;
    this.keySize = key.size;
    this.valueSize = value.size;
    this.maxEntries = maxEntries;
  }

  /** The entry's value, live; undefined: there is none. */
  protected abstract find(key: Uint8Array): Uint8Array | undefined;
  /** The place of an entry's value, made if it is not there. @throws VetchError MAP_FULL */
  protected abstract place(key: Uint8Array): Uint8Array;
  protected abstract remove(key: Uint8Array): boolean;
  /** Live. */
  abstract entries(): Generator<RawEntry>;

  lookup(key: Uint8Array, value: Uint8Array): boolean {
    const found = this.find(key);
    if (found) value.set(found);
    return found !== undefined;
  }

  update(key: Uint8Array, value: Uint8Array): void {
    if (key.length !== this.keySize || value.length !== this.valueSize)
      throw new RangeError(`map ${this.name} takes ${this.keySize} and ${this.valueSize} bytes`);
    this.place(key).set(value);
    this.written(key, value);
  }

  delete(key: Uint8Array): boolean {
    const removed = this.remove(key);
    if (removed) this.written(key, undefined);
    return removed;
  }

  *batches(): Generator<RawEntry[]> {
    let batch: RawEntry[] = [];
    for (const [key, value] of this.entries()) {
      batch.push([key.slice(), value.slice()]);
      if (batch.length < batchEntries) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  *writtenBatches(): Generator<RawEntry[]> {
    for (const batch of this.batches()) yield batch.filter(([, value]) => value.some((byte) => byte !== 0));
  }

  updateMany(entries: Iterable<RawEntry>): void {
    for (const [key, value] of entries) this.update(key, value);
  }

  deleteMany(keys: Iterable<Uint8Array>): number {
    let deleted = 0;
    for (const key of keys) if (this.delete(key)) deleted++;
    return deleted;
  }

  updatePacked({ keys, values, keySize, valueSize, count }: PackedEntries): void {
    for (let i = 0; i < count; i++) {
      const value = values.subarray(i * valueSize, (i + 1) * valueSize);
      this.update(keys.subarray(i * keySize, (i + 1) * keySize), value);
    }
  }

  deletePacked({ keys, keySize, count }: PackedEntries): number {
    let deleted = 0;
    for (let i = 0; i < count; i++) if (this.delete(keys.subarray(i * keySize, (i + 1) * keySize))) deleted++;
    return deleted;
  }

  protected full(): VetchError {
    return new VetchError('MAP_FULL', `the map ${this.name} is full: it has room for ${this.maxEntries}`, '');
  }
}

/** Hashes and tries: nobody looks a prefix up here. Packed: of fifty thousand entries an object each costs ten times as much. */
class MemoryHash extends MemoryMap {
  #keys = new Uint8Array(0);
  #values = new Uint8Array(0);
  /** By what a key hashes to, or the next free place after it: index of the entry + 1; 0: none. A power of two, half empty. */
  #places = new Uint32Array(16);
  /** Indexes below `#used` that no entry has. */
  readonly #free = new Set<number>();
  #used = 0;

  protected override find(key: Uint8Array): Uint8Array | undefined {
    const index = this.#places[this.#placeOf(key)] ?? 0;
    return index === 0 ? undefined : this.#value(index - 1);
  }

  protected override place(key: Uint8Array): Uint8Array {
    const found = this.find(key);
    if (found) return found;
    const size = this.#used - this.#free.size;
    if (size >= this.maxEntries) throw this.full();
    if (2 * (size + 1) > this.#places.length) this.#spread();
    const [free = this.#used++] = this.#free;
    this.#free.delete(free);
    this.#keys = withRoom(this.#keys, this.#used * this.keySize);
    this.#values = withRoom(this.#values, this.#used * this.valueSize);
    this.#keys.set(key, free * this.keySize);
    this.#places[this.#placeOf(key)] = free + 1;
    return this.#value(free).fill(0);
  }

  protected override remove(key: Uint8Array): boolean {
    const [places, last] = [this.#places, this.#places.length - 1];
    let hole = this.#placeOf(key);
    const index = places[hole] ?? 0;
    if (index === 0) return false;
    this.#free.add(index - 1);
    // Whoever stands behind a hole, and would stand in it had it been free, moves there.
    for (let at = (hole + 1) & last; places[at] !== 0; at = (at + 1) & last) {
      const wanted = hash(this.#key((places[at] ?? 0) - 1)) & last;
      if (((at - wanted) & last) < ((at - hole) & last)) continue;
      places[hole] = places[at] ?? 0;
      hole = at;
    }
    places[hole] = 0;
    return true;
  }

  override *entries(): Generator<RawEntry> {
    for (let index = 0; index < this.#used; index++) {
      if (!this.#free.has(index)) yield [this.#key(index), this.#value(index)];
    }
  }

  #key(index: number): Uint8Array {
    return this.#keys.subarray(index * this.keySize, (index + 1) * this.keySize);
  }

  #value(index: number): Uint8Array {
    return this.#values.subarray(index * this.valueSize, (index + 1) * this.valueSize);
  }

  /** Where a key's index stands, or is to stand. */
  #placeOf(key: Uint8Array): number {
    const last = this.#places.length - 1;
    for (let place = hash(key) & last; ; place = (place + 1) & last) {
      const index = this.#places[place] ?? 0;
      if (index === 0 || this.#isAt(index - 1, key)) return place;
    }
  }

  #isAt(index: number, key: Uint8Array): boolean {
    const from = index * this.keySize;
    for (let at = 0; at < key.length; at++) if (this.#keys[from + at] !== key[at]) return false;
    return true;
  }

  #spread(): void {
    this.#places = new Uint32Array(2 * this.#places.length);
    for (let index = 0; index < this.#used; index++) {
      if (!this.#free.has(index)) this.#places[this.#placeOf(this.#key(index))] = index + 1;
    }
  }
}

/** FNV-1a, and the high bits mixed into the low ones. */
function hash(key: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < key.length; at++) sum = Math.imul(sum ^ (key[at] ?? 0), 0x01000193);
  return sum ^ (sum >>> 15);
}

function withRoom(bytes: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  if (size <= bytes.length) return bytes;
  const grown = new Uint8Array(Math.max(1_024, size, 2 * bytes.length));
  grown.set(bytes);
  return grown;
}

/** Every element is there, zeros at first. */
class MemoryArray extends MemoryMap {
  #values = new Uint8Array(0);

  protected override find(key: Uint8Array): Uint8Array | undefined {
    const index = indexOf(key);
    if (index >= this.maxEntries) return undefined;
    return (index + 1) * this.valueSize <= this.#values.length ? this.#at(index) : new Uint8Array(this.valueSize);
  }

  protected override place(key: Uint8Array): Uint8Array {
    const index = indexOf(key);
    if (index >= this.maxEntries) throw this.full();
    const end = (index + 1) * this.valueSize;
    if (end > this.#values.length) {
      const grown = new Uint8Array(Math.min(this.maxEntries * this.valueSize, Math.max(end, 2 * this.#values.length)));
      grown.set(this.#values);
      this.#values = grown;
    }
    return this.#at(index);
  }

  /** Most are zeros: they are not even looked at one by one. */
  override *writtenBatches(): Generator<RawEntry[]> {
    const words = new Uint32Array(this.#values.buffer, 0, Math.floor(this.#values.length / 4));
    let batch: RawEntry[] = [];
    let after = -1;
    for (let word = 0; word < words.length; word++) {
      const index = words[word] === 0 ? after : Math.floor((4 * word) / this.valueSize);
      if (index === after) continue;
      after = index;
      batch.push([keyOf(index), this.#at(index).slice()]);
      if (batch.length < batchEntries) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  protected override remove(): boolean {
    throw new Error(`the map ${this.name} is an array, which keeps its elements`);
  }

  override *entries(): Generator<RawEntry> {
    for (let index = 0; (index + 1) * this.valueSize <= this.#values.length; index++) {
      yield [keyOf(index), this.#at(index)];
    }
  }

  #at(index: number): Uint8Array {
    return this.#values.subarray(index * this.valueSize, (index + 1) * this.valueSize);
  }
}

function keyOf(index: number): Uint8Array {
  const key = Buffer.allocUnsafe(4);
  key.writeUInt32LE(index);
  return key;
}

function indexOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0, true);
}

export type MemoryMaps = Readonly<Record<keyof typeof mapDefinitions, { readonly raw: MemoryMap }>>;

/** All maps of a datapath that is not there. */
export function memoryMaps(): MemoryMaps {
  const entries = Object.entries(mapDefinitions).map(([name, definition]) => {
    const made = definition as MapDefinition;
    return [name, { raw: made.type.includes('array') ? new MemoryArray(made) : new MemoryHash(made) }];
  });
  return Object.fromEntries(entries);
}
