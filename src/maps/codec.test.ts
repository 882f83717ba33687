import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Codec, encoded, getBe16, getU64, putBe16, putBe32, putU8, putU16, putU32, putU64 } from './codec.ts';
import * as abi from './generated/abi.ts';

const codecs = Object.entries(abi)
  .filter(([name]) => name.endsWith('Codec'))
  .map(([name, codec]): [string, Codec<unknown>] => [name, codec as unknown as Codec<unknown>]);

describe.each(codecs)('%s', (_, codec) => {
  test('writes what it reads: every byte but padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: codec.size, maxLength: codec.size }), (bytes) => {
        const value = codec.decode(bytes);
        const again = encoded(codec, value);
        expect(codec.decode(again)).toEqual(value);
        for (const [index, byte] of again.entries()) expect([0, bytes[index]]).toContain(byte);
      }),
      { numRuns: 30 },
    );
  });

  test('works at any place in larger bytes, and touches nothing beside', () => {
    const bytes = new Uint8Array(codec.size + 20).fill(0xaa);
    const value = codec.decode(new Uint8Array(codec.size).fill(1));
    codec.encode(value, bytes, 7);
    expect(codec.decode(bytes, 7)).toEqual(value);
    expect([...bytes.subarray(0, 7), ...bytes.subarray(7 + codec.size)]).toEqual(new Array(20).fill(0xaa));
  });

  test('clears padding that held something else', () => {
    const bytes = new Uint8Array(codec.size).fill(0xff);
    codec.encode(codec.decode(new Uint8Array(codec.size)), bytes);
    expect(bytes).toEqual(new Uint8Array(codec.size));
  });
});

test('ports and addresses are in network order in the kernel and plain numbers here', () => {
  const key = { addr: new Uint8Array(16).fill(9), port: 8080, protocol: 6 };
  const bytes = encoded(abi.publishKeyCodec, key);
  expect([...bytes.subarray(16, 20)]).toEqual([0x1f, 0x90, 6, 0]);
  expect(abi.publishKeyCodec.decode(bytes)).toEqual(key);
  expect(getBe16(bytes, 16)).toBe(8080);
});

test('what was decoded does not change when the bytes are reused', () => {
  for (const bytes of [new Uint8Array(20).fill(1), Buffer.alloc(20, 1)]) {
    const key = abi.publishKeyCodec.decode(bytes);
    bytes.fill(2);
    expect(key.addr).toEqual(new Uint8Array(16).fill(1));
  }
});

test('a number that does not fit its field is refused', () => {
  const bytes = new Uint8Array(8);
  expect(() => putU8(bytes, 0, 256)).toThrow(RangeError);
  expect(() => putU16(bytes, 0, -1)).toThrow(RangeError);
  expect(() => putU32(bytes, 0, 2 ** 32)).toThrow(RangeError);
  expect(() => putU32(bytes, 0, 1.5)).toThrow(RangeError);
  expect(() => putU32(bytes, 0, Number.NaN)).toThrow(RangeError);
  expect(() => putBe16(bytes, 0, 65_536)).toThrow(RangeError);
  expect(() => putBe32(bytes, 0, 2 ** 32)).toThrow(RangeError);
  expect(() => putU64(bytes, 0, 2n ** 64n)).toThrow(RangeError);
  putU64(bytes, 0, 2n ** 64n - 1n);
  expect(getU64(bytes, 0)).toBe(2n ** 64n - 1n);
});

test('an address that was not brought into its one form is refused', () => {
  const value = { network: 1, addr: Uint8Array.of(10, 0, 0, 1) };
  expect(() => encoded(abi.endpointKeyCodec, value)).toThrow('4 bytes where 16 belong');
});

test('numbers have names, and those that have none stand for themselves', () => {
  expect(abi.dropReasonName(abi.DropReason.SPOOFED)).toBe('SPOOFED');
  expect(abi.dropReasonName(60_000)).toBe('60000');
  expect(abi.networkFlags(abi.NetworkFlag.PRESENT | abi.NetworkFlag.ICC_OFF)).toEqual(['PRESENT', 'ICC_OFF']);
});

test('map names fit the kernel', () => {
  for (const { name } of Object.values(abi.mapDefinitions)) expect(name.length).toBeLessThanOrEqual(15);
});
