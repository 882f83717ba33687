import { encoded } from '../../maps/codec.ts';
import { denyBlockCodec, mapDefinitions } from '../../maps/generated/abi.ts';
import { holdsAllIPv4, isIPv4, type Prefix, parsePrefix } from '../../model/address.ts';
import type { MapEntry } from '../entry.ts';

const blocks = mapDefinitions.denyUnlisted.maxEntries / 2;
const bitsOfBlock = denyBlockCodec.size * 8;

/** Bits of an address in its 16-byte form: those that its head is made of, and those that its block is. */
const headLength = { 4: 96 + 24, 6: 40 } as const;
const blockLength = 96 + 12;

type Family = keyof typeof headLength;

/** Indexes of blocks within their family. */
type Blocks = Readonly<Record<Family, Iterable<number>>>;

const all = Array.from({ length: blocks }, (_, index) => index);

/** What prefixes touch of one family, and how many of them: single heads by their block, and blocks as a whole. */
class Touched {
  prefixes = 0;
  readonly heads = new Map<number, Map<number, number>>();
  readonly whole = new Map<number, number>();

  count({ heads, blocks }: Touch, by: 1 | -1): void {
    this.prefixes += by;
    if (heads.length === 0) for (const index of blocks) add(this.whole, index, by);
    for (const head of heads) {
      const bits = this.heads.get(blockOf(head)) ?? new Map<number, number>();
      this.heads.set(blockOf(head), bits);
      add(bits, head % bitsOfBlock, by);
    }
  }

  /** A block as the map has it. Words are little-endian, as on every machine that the programs are compiled for. */
  block(index: number): Uint8Array {
    // Without prefixes there is nothing to spare a look at.
    if (this.prefixes === 0 || this.whole.has(index)) return new Uint8Array(denyBlockCodec.size);
    const bytes = new Uint8Array(denyBlockCodec.size).fill(0xff);
    for (const bit of this.heads.get(index)?.keys() ?? [])
      bytes[bit >> 3] = Number(bytes[bit >> 3]) & ~(1 << (bit & 7));
    return bytes;
  }
}

/**
 * Which heads of addresses the prefixes of the deny list touch: the array `deny_unlisted` says the opposite. A packet
 * whose source has an untouched head is not looked for among the prefixes, so what is added to the list is written here
 * before it is written there.
 */
export class DenyHeads {
  readonly #cidrs = new Set<string>();
  readonly #touched = { 4: new Touched(), 6: new Touched() };

  constructor(cidrs: Iterable<string> = []) {
    this.#change(cidrs, 1);
  }

  /** Makes them those of exactly these prefixes. */
  align(cidrs: ReadonlySet<string>): void {
    this.#change(
      [...this.#cidrs].filter((cidr) => !cidrs.has(cidr)),
      -1,
    );
    this.#change(cidrs, 1);
  }

  /** The blocks that are other ones with these prefixes. */
  add(cidrs: Iterable<string>): MapEntry[] {
    return this.#entriesOf(this.#change(cidrs, 1));
  }

  /** The blocks that are other ones without them. */
  remove(cidrs: Iterable<string>): MapEntry[] {
    return this.#entriesOf(this.#change(cidrs, -1));
  }

  /** The blocks of the families that have prefixes. */
  entries(): MapEntry[] {
    const blocksOf = (family: Family) => (this.#touched[family].prefixes > 0 ? all : []);
    return this.#entriesOf({ 4: blocksOf(4), 6: blocksOf(6) });
  }

  /** Gives the blocks that are other ones now. */
  #change(cidrs: Iterable<string>, by: 1 | -1): Blocks {
    const changed = { 4: new Set<number>(), 6: new Set<number>() };
    const had = { 4: this.#touched[4].prefixes > 0, 6: this.#touched[6].prefixes > 0 };
    for (const cidr of cidrs) {
      if (this.#cidrs.has(cidr) === (by === 1)) continue;
      if (by === 1) this.#cidrs.add(cidr);
      else this.#cidrs.delete(cidr);
      for (const touch of touchedBy(parsePrefix(cidr))) {
        this.#touched[touch.family].count(touch, by);
        for (const index of touch.blocks) changed[touch.family].add(index);
      }
    }
    // The first prefix of a family changes all of its blocks, and so does the last.
    const blocksOf = (family: Family) => (had[family] === this.#touched[family].prefixes > 0 ? changed[family] : all);
    return { 4: blocksOf(4), 6: blocksOf(6) };
  }

  #entriesOf(changed: Blocks): MapEntry[] {
    return ([4, 6] as const).flatMap((family) =>
      Array.from(changed[family], (index) => {
        const key = encoded(mapDefinitions.denyUnlisted.key, family === 4 ? index : blocks + index);
        return { map: 'denyUnlisted' as const, key, value: this.#touched[family].block(index) };
      }),
    );
  }
}

function add(counts: Map<number, number>, key: number, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

/** What one prefix touches of a family. */
interface Touch {
  readonly family: Family;
  readonly heads: readonly number[];
  /** Of the heads, or those that it touches as a whole, if it has no heads. */
  readonly blocks: readonly number[];
}

function touchedBy(prefix: Prefix): Touch[] {
  const { address, prefixLength } = prefix;
  const touches: Touch[] = [];
  // A longest-prefix map matches IPv4 addresses by some IPv6 prefixes, too.
  if (holdsAllIPv4(prefix)) touches.push({ family: 4, heads: [], blocks: all });
  else if (isIPv4(address)) touches.push(touchedIPv4(address, prefixLength));
  if (prefixLength < 96 || !isIPv4(address)) touches.push(touchedIPv6(address, prefixLength));
  return touches;
}

function touchedIPv4(address: Uint8Array, prefixLength: number): Touch {
  const first = viewOf(address).getUint32(12) >>> 8;
  if (prefixLength > blockLength) return headed(4, range(first, 2 ** Math.max(0, headLength[4] - prefixLength)));
  return { family: 4, heads: [], blocks: range(first / bitsOfBlock, 2 ** (blockLength - prefixLength)) };
}

/** Only addresses in 2000::/3 have heads: the others are always looked for. */
function touchedIPv6(address: Uint8Array, prefixLength: number): Touch {
  if (prefixLength >= 3 && (address[0] as number) >> 5 !== 1) return headed(6, []);
  // Heads that follow each other lie anywhere: of very many, all are as well.
  if (prefixLength < 24) return { family: 6, heads: [], blocks: all };
  const first = viewOf(address).getUint32(0) * 256 + viewOf(address).getUint8(4);
  return headed(6, range(first, 2 ** Math.max(0, headLength[6] - prefixLength)).map(hashed));
}

function headed(family: Family, heads: readonly number[]): Touch {
  const blocks = heads.map(blockOf);
  return { family, heads, blocks: heads.length > 1 ? [...new Set(blocks)] : blocks };
}

function blockOf(head: number): number {
  return Math.floor(head / bitsOfBlock);
}

/** As `deny_head` of bpf/xdp.bpf.c. @param leading the first 40 bits of an address */
function hashed(leading: number): number {
  const sum = Math.imul(Math.floor(leading / 256), 0x9e37_79b1) + Math.imul(leading % 256, 0x85eb_ca6b);
  return (sum >>> 0) >>> 8;
}

function range(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
