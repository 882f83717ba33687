import { BlockList, isIPv4 } from 'node:net';

/** The 4 bytes of `10.0.0.1`. */
export function ip4Bytes(text: string): Uint8Array {
  if (!isIPv4(text)) throw new TypeError(`${text} is no IPv4 address`);
  return Uint8Array.from(text.split('.').map(Number));
}

/** The 16 bytes of `fd00::1`; of an IPv4 address, its v4-mapped form. */
export function ip6Bytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ip4Bytes(text)]);
  new BlockList().addAddress(text, 'ipv6'); // throws for what is none
  const [head = '', tail] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)));
  const [before, after] = [words(head), words(tail ?? '')];
  const gap = tail === undefined ? [] : new Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...gap, ...after].flatMap((word) => [word >> 8, word & 0xff]));
}

/** The 6 bytes of `02:00:00:00:00:01`. */
export function macBytes(text: string): Uint8Array {
  return Uint8Array.from(text.split(':').map((byte) => Number.parseInt(byte, 16)));
}

/** The Ethernet group that an IP group's packets are sent to. */
export function groupMac(address: string): string {
  const bytes = address.includes(':') ? ip6Bytes(address) : ip4Bytes(address);
  const group = address.includes(':')
    ? [0x33, 0x33, ...bytes.subarray(12)]
    : [0x01, 0x00, 0x5e, (bytes[1] ?? 0) & 0x7f, bytes[2] ?? 0, bytes[3] ?? 0];
  return group.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Where neighbour discovery asks for an address (RFC 4291, 2.7.1). */
export function solicitedNode(address: string): string {
  const bytes = ip6Bytes(address);
  const word = (((bytes[14] ?? 0) << 8) | (bytes[15] ?? 0)).toString(16);
  return `ff02::1:ff${(bytes[13] ?? 0).toString(16).padStart(2, '0')}:${word}`;
}

export function be16(value: number): Uint8Array {
  return Uint8Array.of((value >> 8) & 0xff, value & 0xff);
}

export function be32(value: number): Uint8Array {
  return Uint8Array.of((value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}
