import { PackedEntries } from '../maps/packed-entries.ts';
import { keyText, type MapContents, type RawEntry } from './entry.ts';

/**
 * A whole map in two blocks of memory. Of ten thousand endpoints' hundred thousand entries, an object and two arrays for
 * each would take several times what the entries do.
 */
export class PackedContents implements MapContents {
  readonly #indexes = new Map<string, number>();
  #entries: PackedEntries | undefined;

  get size(): number {
    return this.#indexes.size;
  }

  /** Copies the entry; it replaces what has the same key. */
  set({ key, value }: RawEntry): void {
    this.#entries ??= new PackedEntries(key.length, value.length);
    const entries = this.#entries;
    const text = keyText(key);
    let index = this.#indexes.get(text);
    if (index === undefined) {
      index = entries.add();
      entries.keys.set(key, index * entries.keySize);
      this.#indexes.set(text, index);
    }
    entries.values.set(value, index * entries.valueSize);
  }

  get(text: string): RawEntry | undefined {
    const index = this.#indexes.get(text);
    return index === undefined ? undefined : this.#at(index);
  }

  /** In the order in which keys were first set. */
  *[Symbol.iterator](): Generator<[string, RawEntry]> {
    for (const [text, index] of this.#indexes) {
      const entry = this.#at(index);
      if (entry) yield [text, entry];
    }
  }

  *values(): Generator<RawEntry> {
    for (const [, entry] of this) yield entry;
  }

  #at(index: number): RawEntry | undefined {
    if (!this.#entries) return undefined;
    const { keys, keySize, values, valueSize } = this.#entries;
    return {
      key: keys.subarray(index * keySize, (index + 1) * keySize),
      value: values.subarray(index * valueSize, (index + 1) * valueSize),
    };
  }
}
