import * as net from 'node:net';
import { VetchError } from '../api/error.ts';

/** A prefix in the one form of address: an IPv4 prefix is 96 longer than written. */
export interface Prefix {
  /** 16 bytes, network order, IPv4 v4-mapped; the host bits are 0. */
  readonly address: Uint8Array;
  /** 0 to 128. */
  readonly prefixLength: number;
}

const [dot, digit0, digit9, colon, letterA] = [0x2e, 0x30, 0x39, 0x3a, 0x61] as const;

/** What is written before an IPv4 address: ::ffff:0:0/96. */
const mappedLength = 96;
const mappedPrefix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0);

/**
 * The 16 bytes of an address, network order; IPv4 is v4-mapped, and `::ffff:a.b.c.d` is the same as `a.b.c.d`.
 *
 * @throws VetchError INVALID: not an address, or one with a zone (`fe80::1%eth0`)
 */
export function parseAddress(text: string): Uint8Array {
  if (text.includes('/')) throw notAnAddress(text);
  return text.includes(':') ? parse6(text, text) : parse4(text, text);
}

/** Canonical text (RFC 5952) of 16 bytes; a v4-mapped address prints as IPv4. */
export function formatAddress(bytes: Uint8Array): string {
  if (isIPv4(bytes)) return `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  return format6(bytes);
}

/** Whether 16 bytes are a v4-mapped address. */
export function isIPv4(bytes: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (bytes[i] !== 0) return false;
  return bytes[10] === 0xff && bytes[11] === 0xff;
}

/** 4 or 6: the family of a written address or prefix. */
export function familyOf(text: string): 4 | 6 {
  return isIPv4(parseAddress(withoutLength(text))) ? 4 : 6;
}

/**
 * A prefix as the maps' longest-prefix keys want it. Host bits that are set are cleared.
 *
 * @throws VetchError INVALID: not `address/length`
 */
export function parsePrefix(cidr: string): Prefix {
  const { address, prefixLength } = parseInterfaceAddress(cidr);
  return { address: mask(address, prefixLength), prefixLength };
}

/** Like {@link parsePrefix}, but keeps the host bits: an address as it stands on a device, `10.88.0.2/16`. */
export function parseInterfaceAddress(cidr: string): Prefix {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(cidr);
  const [, text = '', length = ''] = match ?? [];
  if (match === null) throw notAPrefix(cidr);
  const isV4Text = !text.includes(':');
  const written = Number(length);
  if (written > (isV4Text ? 32 : 128)) throw notAPrefix(cidr);
  const address = isV4Text ? parse4(text, cidr) : parse6(text, cidr);
  return { address, prefixLength: isV4Text ? written + mappedLength : written };
}

/** Canonical text of a prefix; one inside ::ffff:0:0/96 prints as IPv4. */
export function formatPrefix(prefix: Prefix): string {
  const { address, prefixLength } = prefix;
  const isV4 = prefixLength >= mappedLength && isIPv4(address);
  return `${formatAddress(mask(address, prefixLength))}/${isV4 ? prefixLength - mappedLength : prefixLength}`;
}

/** @throws VetchError INVALID */
export function canonicalAddress(text: string): string {
  return formatAddress(parseAddress(text));
}

/** With the host bits cleared. @throws VetchError INVALID */
export function canonicalPrefix(cidr: string): string {
  return formatPrefix(parsePrefix(cidr));
}

/** `10.88.0.2` of `10.88.0.2/16`. */
export function withoutLength(cidr: string): string {
  const slash = cidr.indexOf('/');
  return slash === -1 ? cidr : cidr.slice(0, slash);
}

/** Whether an address is in a prefix; never across families, so `::/0` holds no IPv4. @throws VetchError INVALID */
export function prefixContains(cidr: string, address: string): boolean {
  return prefixHolds(parsePrefix(cidr), parseAddress(address));
}

/** {@link prefixContains} for what has been parsed. */
export function prefixHolds(prefix: Prefix, address: Uint8Array): boolean {
  const isV4Prefix = prefix.prefixLength >= mappedLength && isIPv4(prefix.address);
  return isV4Prefix === isIPv4(address) && sameBits(prefix.address, address, prefix.prefixLength);
}

/**
 * Whether a longest-prefix map would match every IPv4 address by this prefix: true of `::/0` and the few other IPv6
 * prefixes that hold ::ffff:0:0/96, and of `0.0.0.0/0`. An IPv6 prefix of that kind means more there than it says.
 */
export function holdsAllIPv4(prefix: Prefix): boolean {
  return prefix.prefixLength <= mappedLength && sameBits(prefix.address, mappedPrefix, prefix.prefixLength);
}

/** Whether two prefixes share an address; never across families. @throws VetchError INVALID */
export function prefixesOverlap(a: string, b: string): boolean {
  const [first, second] = [parsePrefix(a), parsePrefix(b)];
  const [wide, narrow] = first.prefixLength <= second.prefixLength ? [first, second] : [second, first];
  return prefixHolds(wide, narrow.address);
}

/** @throws VetchError INVALID: not six pairs of hex digits with colons */
export function parseMac(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$/.test(text)) {
    throw new VetchError('INVALID', `'${text}' is not a MAC address`, 'write it as 02:42:0a:58:00:02');
  }
  const bytes = new Uint8Array(6);
  for (let i = 0; i < 6; i++) bytes[i] = 16 * hexDigit(text, 3 * i) + hexDigit(text, 3 * i + 1);
  return bytes;
}

/** Lower case, colons. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The address that a device with this MAC gives itself: fe80::/64 and the modified EUI-64 (RFC 4291, appendix A). */
export function linkLocalFromMac(mac: Uint8Array): Uint8Array {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac;
  return Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, a ^ 2, b, c, 0xff, 0xfe, d, e, f);
}

/** A copy without the bits after `prefixLength`. */
function mask(address: Uint8Array, prefixLength: number): Uint8Array {
  return address.map((byte, i) => byte & byteMask(prefixLength, i));
}

function sameBits(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let i = 0; i < 16; i++) {
    if ((((a[i] ?? 0) ^ (b[i] ?? 0)) & byteMask(bits, i)) !== 0) return false;
  }
  return true;
}

/** Which bits of byte `index` lie in the first `bits` bits. */
function byteMask(bits: number, index: number): number {
  const here = Math.min(8, Math.max(0, bits - 8 * index));
  return (0xff << (8 - here)) & 0xff;
}

function parse4(text: string, seen: string): Uint8Array {
  if (!net.isIPv4(text)) throw refused(seen);
  const bytes = mappedPrefix.slice();
  for (let i = 0, at = 12; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === dot) at++;
    else bytes[at] = 10 * (bytes[at] ?? 0) + code - digit0;
  }
  return bytes;
}

function parse6(text: string, seen: string): Uint8Array {
  if (text.includes('%')) {
    throw new VetchError(
      'INVALID',
      `'${seen}' has a zone, which has no meaning here`,
      'leave out the % and what follows',
    );
  }
  if (!net.isIPv6(text)) throw refused(seen);
  return groups(withoutDots(text));
}

/** Of what is known to be an IPv6 address, without dots. Thousands are read at a start, so no part of it becomes a text. */
function groups(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  let at = 0;
  /** Where `::` stands. */
  let gap = -1;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) === colon) {
      // At the beginning, too, a second colon follows where the first ends no group.
      if (text.charCodeAt(i + 1) !== colon) continue;
      gap = at;
      i++;
      continue;
    }
    let group = 0;
    for (; i < text.length && text.charCodeAt(i) !== colon; i++) group = 16 * group + hexDigit(text, i);
    bytes[at++] = group >> 8;
    bytes[at++] = group & 0xff;
    i--;
  }
  if (gap === -1 || at === 16) return bytes;
  bytes.copyWithin(16 - (at - gap), gap, at);
  return bytes.fill(0, gap, 16 - (at - gap));
}

/** @param at where `text` is known to have one */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code <= digit9 ? code - digit0 : (code | 0x20) - letterA + 10;
}

/** `::ffff:a58:2` of `::ffff:10.88.0.2`. */
function withoutDots(text: string): string {
  if (!text.includes('.')) return text;
  const at = text.lastIndexOf(':') + 1;
  const [a = 0, b = 0, c = 0, d = 0] = text.slice(at).split('.').map(Number);
  return `${text.slice(0, at)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** RFC 5952: `::` for the first of the longest runs of two zero groups or more. */
function format6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let [from, length] = [0, 1];
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > length) [from, length] = [start, end - start];
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  return length === 1 ? hex(groups) : `${hex(groups.slice(0, from))}::${hex(groups.slice(from + length))}`;
}

function refused(seen: string): VetchError {
  return seen.includes('/') ? notAPrefix(seen) : notAnAddress(seen);
}

function notAnAddress(seen: string): VetchError {
  return new VetchError('INVALID', `'${seen}' is not an IP address`, 'write it as 10.88.0.2 or fd00:88::2');
}

function notAPrefix(seen: string): VetchError {
  return new VetchError('INVALID', `'${seen}' is not a subnet`, 'write it as 10.88.0.0/16 or fd00:88::/64');
}
