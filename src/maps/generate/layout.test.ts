import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Btf } from '../btf.ts';
import { emit } from './emit.ts';
import { layoutsOf } from './layout.ts';

const object = readFileSync(new URL('../../../bpf/build/abi.bpf.o', import.meta.url));

/** Assembles BTF: each type is its words after the name. */
class Assembler {
  readonly #strings = ['\0'];
  readonly #words: number[] = [];

  #string(text: string): number {
    const offset = this.#strings.join('').length;
    this.#strings.push(`${text}\0`);
    return offset;
  }

  type(name: string, kind: number, count: number, sizeOrType: number, ...rest: (number | string)[]): this {
    const words = rest.map((word) => (typeof word === 'string' ? this.#string(word) : word));
    this.#words.push(name ? this.#string(name) : 0, (kind << 24) | count, sizeOrType, ...words);
    return this;
  }

  btf(): Btf {
    const strings = Buffer.from(this.#strings.join(''));
    const bytes = Buffer.alloc(24 + this.#words.length * 4 + strings.length);
    const words = [0x1_eb9f, 24, 0, this.#words.length * 4, this.#words.length * 4, strings.length, ...this.#words];
    words.forEach((word, index) => {
      bytes.writeUInt32LE(word >>> 0, index * 4);
    });
    strings.copy(bytes, words.length * 4);
    return new Btf(bytes);
  }
}

const int = (assembler: Assembler, size = 4, encoding = 0) =>
  assembler.type('number', 1, 0, size, (encoding << 24) | (size * 8));

describe('structs that both sides share are refused with', () => {
  test('implicit padding', () => {
    const btf = int(new Assembler()).type('pair', 4, 2, 12, 'a', 1, 0, 'b', 1, 64).btf();
    expect(() => layoutsOf(btf)).toThrow('struct pair has implicit padding before b');
  });

  test('a union', () => {
    const btf = int(new Assembler()).type('either', 5, 1, 4, 'a', 1, 0).btf();
    expect(() => layoutsOf(btf)).toThrow(/union either/);
  });

  test('a signed number', () => {
    const btf = int(new Assembler(), 4, 1).type('pair', 4, 1, 4, 'a', 1, 0).btf();
    expect(() => layoutsOf(btf)).toThrow(/only unsigned numbers/);
  });

  test('a bitfield', () => {
    const assembler = int(new Assembler()).type('bits', 0x84, 1, 4, 'a', 1, 3 << 24);
    expect(() => assembler.btf()).toThrow(/bits has a bitfield/);
  });
});

test('what is not BTF is refused', () => {
  expect(() => new Btf(new Uint8Array(100))).toThrow(/not little-endian BTF/);
  expect(() => Btf.fromElf(new Uint8Array(100))).toThrow(/not a 64-bit little-endian ELF file/);
});

test('the same object gives the same text', () => {
  const once = emit(layoutsOf(Btf.fromElf(object)));
  expect(emit(layoutsOf(Btf.fromElf(object)))).toBe(once);
});

test('the committed layouts are those of the committed object', () => {
  const committed = readFileSync(new URL('../generated/abi.ts', import.meta.url), 'utf8');
  expect(emit(layoutsOf(Btf.fromElf(object)))).toBe(committed);
});

test('the object says of each map who writes it and how large it is', () => {
  const { maps } = layoutsOf(Btf.fromElf(object));
  expect(maps.find(({ name }) => name === 'conntrack')).toMatchObject({
    type: 'lru_hash',
    writer: 'datapath',
    maxEntries: 262_144,
    key: { kind: 'struct', name: 'conntrack_key', size: 40 },
  });
  expect(maps.find(({ name }) => name === 'host_addrs')).toMatchObject({
    writer: 'control',
    flags: 1,
    key: { kind: 'bytes', size: 16 },
  });
  expect(maps.find(({ name }) => name === 'flow_events')).not.toHaveProperty('key');
});
