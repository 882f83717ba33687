/**
 * Entries of a map one after the other, as the kernel takes them in batches: memory of its own for each would cost more
 * than writing it.
 */
export class PackedEntries {
  readonly keySize: number;
  readonly valueSize: number;
  #keys: Uint8Array = none;
  #values: Uint8Array = none;
  #room = 0;
  #count = 0;
  readonly #first: number;

  /** @param valueSize 0 of entries that are only to be deleted. @param room for so many; it grows when it has to */
  constructor(keySize: number, valueSize: number, room = 64) {
    this.keySize = keySize;
    this.valueSize = valueSize;
    // Of the kinds of entry that a change may have, most changes have one or two.
    this.#first = Math.max(1, room);
  }

  get count(): number {
    return this.#count;
  }

  /** Of entry i at `i * keySize`. Another array after the next {@link PackedEntries.add}. */
  get keys(): Uint8Array {
    return this.#keys;
  }

  /** Of entry i at `i * valueSize`. Likewise. */
  get values(): Uint8Array {
    return this.#values;
  }

  /** Makes room for one more, of zeros, which the caller fills. @returns its index */
  add(): number {
    if (this.#count === this.#room) {
      this.#room = Math.max(this.#first, 2 * this.#room);
      this.#keys = grown(this.#keys, this.#room * this.keySize);
      this.#values = grown(this.#values, this.#room * this.valueSize);
    }
    return this.#count++;
  }
}

const none: Uint8Array = new Uint8Array(0);

function grown(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(bytes);
  return result;
}
