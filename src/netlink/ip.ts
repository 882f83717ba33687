import { AddressFamily } from '../loader/ffi/libc.ts';
import { formatAddress, isIPv4, parseAddress, parseInterfaceAddress } from '../model/address.ts';
import type { Payload } from './payload.ts';

/** An address or prefix as netlink has it: 4 or 16 bytes, and the length as written. */
export interface IpPrefix {
  /** `AF_INET` or `AF_INET6`. */
  readonly family: number;
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
}

/** Between an IPv4 prefix's length as written and that of its v4-mapped form. */
const mappedLength = 96;
const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);

/** Of `10.88.0.2/16`, host bits kept, or of an address alone, as /32 or /128. @throws VetchError INVALID */
export function toIpPrefix(text: string): IpPrefix {
  if (!text.includes('/')) {
    const ip = toIp(parseAddress(text));
    return { ...ip, prefixLength: 8 * ip.bytes.length };
  }
  const { address, prefixLength } = parseInterfaceAddress(text);
  const ip = toIp(address);
  return { ...ip, prefixLength: ip.family === AddressFamily.INET ? prefixLength - mappedLength : prefixLength };
}

/** @throws VetchError INVALID */
export function toIpAddress(text: string): Pick<IpPrefix, 'family' | 'bytes'> {
  return toIp(parseAddress(text));
}

/** 16 bytes, v4-mapped, of an attribute with 4 or 16. */
export function addressOf(payload: Payload): Uint8Array {
  const bytes = payload.bytes();
  if (bytes.length !== 4) return bytes;
  const mapped = new Uint8Array(16);
  mapped.set(mappedPrefix);
  mapped.set(bytes, 12);
  return mapped;
}

/** Canonical text of an attribute; undefined of none. */
export function addressText(payload: Payload | undefined): string | undefined {
  return payload && formatAddress(addressOf(payload));
}

/** The all-zero address of a family. */
export function anyAddress(family: number): string {
  return family === AddressFamily.INET ? '0.0.0.0' : '::';
}

export function isInternet(family: number): boolean {
  return family === AddressFamily.INET || family === AddressFamily.INET6;
}

/** 4 or 6, as people count. */
export function ipVersion(family: number): 4 | 6 {
  return family === AddressFamily.INET ? 4 : 6;
}

/** `AF_*` of 4, 6 or both (`AF_UNSPEC`). */
export function familyNumber(version: 4 | 6 | undefined): number {
  if (version === undefined) return AddressFamily.UNSPEC;
  return version === 4 ? AddressFamily.INET : AddressFamily.INET6;
}

function toIp(address: Uint8Array): Pick<IpPrefix, 'family' | 'bytes'> {
  return isIPv4(address)
    ? { family: AddressFamily.INET, bytes: address.subarray(12) }
    : { family: AddressFamily.INET6, bytes: address };
}
