import { isIPv4, type Prefix } from '../model/address.ts';

/** v4-mapped addresses have this as their third word, and zeros before it. */
const v4Word = new Int32Array(Uint8Array.of(0, 0, 0xff, 0xff).buffer)[0] as number;

/** Addresses and prefixes, asked about addresses that lie in memory as four words each. */
export class AddressSet {
  /** By the last word, where addresses differ most: the four words, one address after the other. */
  readonly #exact = new Map<number, Int32Array>();
  /** Masks and values, four words each. */
  readonly #prefixes: { readonly mask: Int32Array; readonly value: Int32Array; readonly isV4: boolean }[] = [];

  constructor(addresses: Iterable<Uint8Array>, prefixes: Iterable<Prefix> = []) {
    for (const address of addresses) this.#add(wordsOf(address));
    for (const { address, prefixLength } of prefixes) {
      if (prefixLength === 128) {
        this.#add(wordsOf(address));
        continue;
      }
      const mask = wordsOf(maskBytes(prefixLength));
      this.#prefixes.push({
        mask,
        value: wordsOf(address).map((word, i) => word & (mask[i] as number)),
        isV4: prefixLength >= 96 && isIPv4(address),
      });
    }
  }

  /** Whether the set has the address, or a prefix of its family holds it, whose first word is `words[at]`. */
  has(words: Int32Array, at: number): boolean {
    const found = this.#exact.get(words[at + 3] as number);
    if (found) {
      for (let i = 0; i < found.length; i += 4) {
        if (found[i] === words[at] && found[i + 1] === words[at + 1] && found[i + 2] === words[at + 2]) return true;
      }
    }
    if (this.#prefixes.length === 0) return false;
    const isV4 = words[at + 2] === v4Word && words[at + 1] === 0 && words[at] === 0;
    for (const { mask, value, isV4: ofV4 } of this.#prefixes) {
      if (
        isV4 === ofV4 &&
        ((words[at + 3] as number) & (mask[3] as number)) === value[3] &&
        ((words[at + 2] as number) & (mask[2] as number)) === value[2] &&
        ((words[at + 1] as number) & (mask[1] as number)) === value[1] &&
        ((words[at] as number) & (mask[0] as number)) === value[0]
      ) {
        return true;
      }
    }
    return false;
  }

  #add(words: Int32Array): void {
    const last = words[3] as number;
    const before = this.#exact.get(last) ?? [];
    this.#exact.set(last, Int32Array.of(...before, ...words));
  }
}

function wordsOf(address: Uint8Array): Int32Array {
  if (address.length !== 16) throw new RangeError(`an address of ${address.length} bytes`);
  return new Int32Array(Uint8Array.from(address).buffer);
}

function maskBytes(length: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => 0xff & ~(0xff >> Math.min(8, Math.max(0, length - 8 * i))));
}
