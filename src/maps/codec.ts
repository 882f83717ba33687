/**
 * How one C type lies in memory. Codecs are generated from BTF; the host is little-endian, as everywhere we run.
 *
 * `encode` writes exactly `size` bytes, padding as zeros; `decode` copies, so the result outlives the bytes it came from.
 */
export interface Codec<T> {
  readonly size: number;
  /** @throws {RangeError} when a number does not fit its field or a byte field has another length. */
  encode(value: T, bytes: Uint8Array, offset?: number): void;
  decode(bytes: Uint8Array, offset?: number): T;
}

/** The bytes of one value, in memory of their own. */
export function encoded<T>(codec: Codec<T>, value: T): Uint8Array {
  const bytes = new Uint8Array(codec.size);
  codec.encode(value, bytes, 0);
  return bytes;
}

/** Likewise for many, one at a time as they are asked for. */
export function* encodedAll<T>(codec: Codec<T>, values: Iterable<T>): Generator<Uint8Array> {
  for (const value of values) yield encoded(codec, value);
}

/** Entries of a map as bytes, one at a time as they are asked for. */
export function* encodedEntries<K, V>(
  key: Codec<K>,
  value: Codec<V>,
  entries: Iterable<readonly [K, V]>,
): Generator<readonly [Uint8Array, Uint8Array]> {
  for (const [k, v] of entries) yield [encoded(key, k), encoded(value, v)];
}

export const u8Codec: Codec<number> = {
  size: 1,
  encode: (value, bytes, offset = 0) => putU8(bytes, offset, value),
  decode: (bytes, offset = 0) => getU8(bytes, offset),
};

export const u16Codec: Codec<number> = {
  size: 2,
  encode: (value, bytes, offset = 0) => putU16(bytes, offset, value),
  decode: (bytes, offset = 0) => getU16(bytes, offset),
};

export const u32Codec: Codec<number> = {
  size: 4,
  encode: (value, bytes, offset = 0) => putU32(bytes, offset, value),
  decode: (bytes, offset = 0) => getU32(bytes, offset),
};

export const u64Codec: Codec<bigint> = {
  size: 8,
  encode: (value, bytes, offset = 0) => putU64(bytes, offset, value),
  decode: (bytes, offset = 0) => getU64(bytes, offset),
};

/** A codec of plain bytes, for structs that are nothing else (`struct address`, `struct mac`). */
export function bytesCodec(size: number): Codec<Uint8Array> {
  return {
    size,
    encode: (value, bytes, offset = 0) => putBytes(bytes, offset, value, size),
    decode: (bytes, offset = 0) => getBytes(bytes, offset, size),
  };
}

// Plain byte arithmetic: V8 inlines it, where a DataView would have to be made for each value.

export function getU8(bytes: Uint8Array, offset: number): number {
  return bytes[offset] as number;
}

export function getU16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}

export function getU32(bytes: Uint8Array, offset: number): number {
  return (getU16(bytes, offset) | (getU16(bytes, offset + 2) << 16)) >>> 0;
}

export function getU64(bytes: Uint8Array, offset: number): bigint {
  return BigInt(getU32(bytes, offset)) | (BigInt(getU32(bytes, offset + 4)) << 32n);
}

export function getBe16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number);
}

export function getBe32(bytes: Uint8Array, offset: number): number {
  return ((getBe16(bytes, offset) << 16) | getBe16(bytes, offset + 2)) >>> 0;
}

export function getBytes(bytes: Uint8Array, offset: number, size: number): Uint8Array {
  // Not slice(): of a Buffer it makes a Buffer. A loop beats set() and subarray() at these sizes.
  const copy = new Uint8Array(size);
  for (let index = 0; index < size; index++) copy[index] = bytes[offset + index] as number;
  return copy;
}

export function putU8(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = checked(value, 0xff);
}

export function putU16(bytes: Uint8Array, offset: number, value: number): void {
  checked(value, 0xffff);
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
}

export function putU32(bytes: Uint8Array, offset: number, value: number): void {
  checked(value, 0xffff_ffff);
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}

export function putU64(bytes: Uint8Array, offset: number, value: bigint): void {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${value} does not fit 64 bits`);
  putU32(bytes, offset, Number(value & 0xffff_ffffn));
  putU32(bytes, offset + 4, Number(value >> 32n));
}

export function putBe16(bytes: Uint8Array, offset: number, value: number): void {
  checked(value, 0xffff);
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
}

export function putBe32(bytes: Uint8Array, offset: number, value: number): void {
  checked(value, 0xffff_ffff);
  bytes[offset] = value >>> 24;
  bytes[offset + 1] = value >>> 16;
  bytes[offset + 2] = value >>> 8;
  bytes[offset + 3] = value;
}

export function putBytes(bytes: Uint8Array, offset: number, value: Uint8Array, size: number): void {
  if (value.length !== size) throw new RangeError(`${value.length} bytes where ${size} belong`);
  bytes.set(value, offset);
}

function checked(value: number, most: number): number {
  if (!Number.isInteger(value) || value < 0 || value > most) throw new RangeError(`${value} is not within 0..${most}`);
  return value;
}
