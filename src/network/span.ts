import { formatAddress, isIPv4, parseAddress, parsePrefix } from '../model/address.ts';

/** A prefix as the numbers that its addresses are. IPv4 and IPv6 share one line: IPv4 is v4-mapped. */
export interface Span {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
  /** Bits after the prefix. */
  readonly hostBits: number;
}

/** @throws VetchError INVALID */
export function spanOf(cidr: string): Span {
  const { address, prefixLength } = parsePrefix(cidr);
  const hostBits = 128 - prefixLength;
  const first = toNumber(address);
  const family = prefixLength >= 96 && isIPv4(address) ? 4 : 6;
  return { family, first, last: first + (1n << BigInt(hostBits)) - 1n, hostBits };
}

export function contains(span: Span, number: bigint): boolean {
  return span.first <= number && number <= span.last;
}

export function containsSpan(outer: Span, inner: Span): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** @throws VetchError INVALID */
export function addressNumber(address: string): bigint {
  return toNumber(parseAddress(address));
}

export function numberAddress(number: bigint): string {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, number >> 64n);
  view.setBigUint64(8, number & 0xffff_ffff_ffff_ffffn);
  return formatAddress(bytes);
}

function toNumber(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
}
