import { PackedEntries } from '../maps/packed-entries.ts';
import type { ControlMap, RawEntry } from './entry.ts';

/** The exact contents of every map that the control plane writes. */
export type DesiredMaps = Readonly<Record<ControlMap, PackedContents>>;

/**
 * A whole map in three blocks of memory. Of ten thousand endpoints' hundred thousand entries, an object and two arrays for
 * each would take several times what the entries do, and so would a text for each key.
 */
export class PackedContents {
  #entries: PackedEntries | undefined;
  /** By what a key hashes to, or the next free place after it: index of the entry + 1; 0: none. A power of two, half empty. */
  #places = new Uint32Array(16);

  get size(): number {
    return this.#entries?.count ?? 0;
  }

  /** Copies the entry; it replaces what has the same key. */
  set({ key, value }: RawEntry): void {
    this.#entries ??= new PackedEntries(key.length, value.length);
    const entries = this.#entries;
    let index = this.indexOf(key);
    if (index === -1) {
      if (2 * (entries.count + 1) > this.#places.length) this.#grow(entries);
      index = entries.add();
      entries.keys.set(key, index * entries.keySize);
      this.#places[this.#placeOf(entries, key, 0)] = index + 1;
    }
    entries.values.set(value, index * entries.valueSize);
  }

  /** Of the entry with this key, in the order in which keys were first set; -1: there is none. */
  indexOf(key: Uint8Array): number {
    if (!this.#entries) return -1;
    return (this.#places[this.#placeOf(this.#entries, key, 0)] ?? 0) - 1;
  }

  get(key: Uint8Array): RawEntry | undefined {
    const index = this.indexOf(key);
    return index === -1 ? undefined : this.at(index);
  }

  /** Whether the value of an entry is this one. */
  hasValue(index: number, value: Uint8Array): boolean {
    return this.#entries !== undefined && equal(this.#entries.values, index * value.length, value, 0, value.length);
  }

  /** @param index of one that is there */
  at(index: number): RawEntry {
    if (!this.#entries) throw new RangeError(`there is no entry ${index}`);
    const { keys, keySize, values, valueSize } = this.#entries;
    return {
      key: keys.subarray(index * keySize, (index + 1) * keySize),
      value: values.subarray(index * valueSize, (index + 1) * valueSize),
    };
  }

  /** In the order in which keys were first set. */
  *values(): Generator<RawEntry> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }

  /** Where a key's index stands, or is to stand. @param from where the key is in `bytes` */
  #placeOf({ keys, keySize }: PackedEntries, bytes: Uint8Array, from: number): number {
    const places = this.#places;
    const last = places.length - 1;
    for (let place = hash(bytes, from, keySize) & last; ; place = (place + 1) & last) {
      const index = places[place] ?? 0;
      if (index === 0 || equal(keys, (index - 1) * keySize, bytes, from, keySize)) return place;
    }
  }

  #grow(entries: PackedEntries): void {
    this.#places = new Uint32Array(2 * this.#places.length);
    for (let index = 0; index < entries.count; index++) {
      this.#places[this.#placeOf(entries, entries.keys, index * entries.keySize)] = index + 1;
    }
  }
}

/** FNV-1a, and the high bits mixed into the low ones. */
function hash(bytes: Uint8Array, from: number, length: number): number {
  let sum = 0x811c9dc5;
  for (let at = from; at < from + length; at++) sum = Math.imul(sum ^ (bytes[at] ?? 0), 0x01000193);
  return sum ^ (sum >>> 15);
}

function equal(a: Uint8Array, aFrom: number, b: Uint8Array, bFrom: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (a[aFrom + at] !== b[bFrom + at]) return false;
  return true;
}
