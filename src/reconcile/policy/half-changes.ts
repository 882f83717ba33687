import type { Codec } from '../../maps/codec.ts';
import { PackedEntries } from '../../maps/packed-entries.ts';

/** What a change says of an entry: it is new, it is gone when the change is over, or it is there before and after. */
export type Life = 'comes' | 'goes' | 'stays';

/** Which of the two an entry's half says. */
export type Side = 'before' | 'after';

const allLives: readonly Life[] = ['comes', 'goes', 'stays'];

/**
 * What changes in a map whose values have two halves, each as `half` encodes it: for each entry what it says before the
 * change, and what after it.
 */
export class HalfChanges<K, V> {
  readonly #key: Codec<K>;
  readonly #half: Codec<V>;
  /** With both sides as the value: before, after. */
  readonly #entries: PackedEntries;
  readonly #lives: Life[] = [];

  constructor(key: Codec<K>, half: Codec<V>) {
    this.#key = key;
    this.#half = half;
    this.#entries = new PackedEntries(key.size, 2 * half.size);
  }

  get count(): number {
    return this.#entries.count;
  }

  add(key: K, before: V, after: V, life: Life): void {
    const index = this.#entries.add();
    const { keys, values, keySize, valueSize } = this.#entries;
    this.#key.encode(key, keys, index * keySize);
    this.#half.encode(before, values, index * valueSize);
    this.#half.encode(after, values, index * valueSize + this.#half.size);
    this.#lives.push(life);
  }

  /** The entries as the map takes them. @param even what they say under even generations; `odd` likewise */
  entries(even: Side, odd: Side, lives: readonly Life[] = allLives): PackedEntries {
    const { keys, values, keySize, valueSize, count } = this.#entries;
    const size = this.#half.size;
    const packed = new PackedEntries(keySize, valueSize, count);
    for (let index = 0; index < count; index++) {
      if (!lives.includes(this.#lives[index] as Life)) continue;
      const to = packed.add();
      const value = index * valueSize;
      copy(keys, index * keySize, packed.keys, to * keySize, keySize);
      copy(values, value + (even === 'after' ? size : 0), packed.values, to * valueSize, size);
      copy(values, value + (odd === 'after' ? size : 0), packed.values, to * valueSize + size, size);
    }
    return packed;
  }
}

/** A loop beats set() and subarray() at these sizes. */
function copy(from: Uint8Array, at: number, to: Uint8Array, offset: number, size: number): void {
  for (let index = 0; index < size; index++) to[offset + index] = from[at + index] as number;
}
