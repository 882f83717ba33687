import { canonicalPrefix, isIPv4, parseAddress, parsePrefix, withoutLength } from '../../model/address.ts';

/** An address as a number of its family's length. */
export interface AddressBits {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

/** One prefix that some document names. */
export interface Block {
  /** Canonical. */
  readonly cidr: string;
  readonly family: 4 | 6;
  readonly length: number;
  /** The first `length` bits. */
  readonly prefix: bigint;
}

interface CountedBlock extends Block {
  users: number;
}

const familyLength = { 4: 32, 6: 128 } as const;

/** Of an address, with or without prefix length. @throws VetchError INVALID */
export function addressBits(text: string): AddressBits {
  return toBits(parseAddress(withoutLength(text)));
}

function toBits(bytes: Uint8Array): AddressBits {
  if (!isIPv4(bytes)) return { family: 6, bits: wideBits(bytes) };
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(12);
  return { family: 4, bits: BigInt(((a << 24) | (b << 16) | (c << 8) | d) >>> 0) };
}

/** `10.88.0.2/32` of an address in the form that a block has. */
export function fullLength(address: string): string {
  return canonicalPrefix(`${address}/${address.includes(':') ? 128 : 32}`);
}

/** Whether a block is part of another, or the same. */
export function isInside(inner: Block, outer: Block): boolean {
  if (inner.family !== outer.family || inner.length < outer.length) return false;
  return inner.prefix >> BigInt(inner.length - outer.length) === outer.prefix;
}

/** The prefixes in use, those of one family apart from the other's, so that `::/0` holds no IPv4. */
export class BlockTable {
  readonly #byCidr = new Map<string, CountedBlock>();
  /** By family, then length, then prefix. */
  readonly #lookup = { 4: new Map<number, Map<bigint, Block>>(), 6: new Map<number, Map<bigint, Block>>() };
  readonly #lengths: Record<4 | 6, number[]> = { 4: [], 6: [] };
  #chains = new Map<Block, readonly Block[]>();

  get(cidr: string): Block | undefined {
    return this.#byCidr.get(cidr);
  }

  values(): IterableIterator<Block> {
    return this.#byCidr.values();
  }

  get size(): number {
    return this.#byCidr.size;
  }

  /** One more use. `cidr` is canonical. True when it is the first. */
  add(cidr: string): boolean {
    const known = this.#byCidr.get(cidr);
    if (known !== undefined) {
      known.users++;
      return false;
    }
    const { address, prefixLength } = parsePrefix(cidr);
    const { family, bits } = cidr.includes(':') ? { family: 6 as const, bits: wideBits(address) } : toBits(address);
    const length = family === 4 ? prefixLength - 96 : prefixLength;
    const block = { cidr, family, length, prefix: bits >> BigInt(familyLength[family] - length), users: 1 };
    this.#byCidr.set(cidr, block);
    const ofLength = this.#lookup[family].get(length) ?? new Map<bigint, Block>();
    this.#lookup[family].set(length, ofLength.set(block.prefix, block));
    this.#structureChanged(family);
    return true;
  }

  /** One use fewer. True when it was the last. */
  remove(cidr: string): boolean {
    const block = this.#byCidr.get(cidr);
    if (block === undefined || --block.users > 0) return false;
    this.#byCidr.delete(cidr);
    const ofLength = this.#lookup[block.family].get(block.length);
    ofLength?.delete(block.prefix);
    if (ofLength?.size === 0) this.#lookup[block.family].delete(block.length);
    this.#structureChanged(block.family);
    return true;
  }

  /** The longest block that holds an address: it says which others do. */
  longest({ family, bits }: AddressBits): Block | undefined {
    return this.#longest(family, bits, familyLength[family]);
  }

  /** A block and all that hold it, the longest first. */
  chain(block: Block): readonly Block[] {
    const known = this.#chains.get(block);
    if (known !== undefined) return known;
    const { family, length, prefix } = block;
    const outer =
      length === 0 ? undefined : this.#longest(family, prefix << BigInt(familyLength[family] - length), length - 1);
    const chain = outer === undefined ? [block] : [block, ...this.chain(outer)];
    this.#chains.set(block, chain);
    return chain;
  }

  #longest(family: 4 | 6, bits: bigint, atMost: number): Block | undefined {
    for (const length of this.#lengths[family]) {
      if (length > atMost) continue;
      const block = this.#lookup[family].get(length)?.get(bits >> BigInt(familyLength[family] - length));
      if (block !== undefined) return block;
    }
    return undefined;
  }

  #structureChanged(family: 4 | 6): void {
    this.#lengths[family] = [...this.#lookup[family].keys()].sort((a, b) => b - a);
    this.#chains = new Map();
  }
}

function wideBits(bytes: Uint8Array): bigint {
  let bits = 0n;
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte);
  return bits;
}
