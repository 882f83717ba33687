/**
 * Reads packets back, and checks every checksum, by code that shares nothing with the builder's: an error in one
 * is not hidden by the other.
 */

/** What a packet holds, one object a header. Absent headers are absent. */
export interface Decoded {
  eth?: { destination: string; source: string; etherType: number };
  arp?: { operation: number; senderMac: string; senderIp: string; targetMac: string; targetIp: string };
  ip?: {
    version: 4 | 6;
    source: string;
    destination: string;
    /** Time to live or hop limit. */
    ttl: number;
    /** Type of service or traffic class. */
    tos: number;
    /** Of the first header that is no extension. */
    protocol: number;
    /** Total length, IPv6: with its header. */
    length: number;
    checksumOk: boolean;
    extensions: number[];
    fragment?: { id: number; offset: number; more: boolean };
  };
  tcp?: {
    source: number;
    destination: number;
    flags: string;
    sequence: number;
    acknowledgment: number;
    checksumOk: boolean;
  };
  udp?: { source: number; destination: number; length: number; checksum: number; checksumOk: boolean };
  sctp?: { source: number; destination: number; chunks: number[]; checksumOk: boolean };
  icmp?: { type: number; code: number; rest: number; checksumOk: boolean; about?: Decoded };
  /** What no header above claims. */
  payload: Uint8Array;
}

/** Decodes a frame, or from an IP header on. @throws RangeError when a header is cut short. */
export function decode(frame: Uint8Array, from: 'ethernet' | 'ip' = 'ethernet'): Decoded {
  const reader = new Reader(frame);
  const result: Decoded = { payload: new Uint8Array() };
  if (from === 'ip') return decodeIp(reader, result, false);
  result.eth = { destination: reader.mac(), source: reader.mac(), etherType: reader.number(2) };
  switch (result.eth.etherType) {
    case 0x0806:
      reader.skip(6);
      result.arp = {
        operation: reader.number(2),
        senderMac: reader.mac(),
        senderIp: reader.ip4(),
        targetMac: reader.mac(),
        targetIp: reader.ip4(),
      };
      break;
    case 0x0800:
    case 0x86dd:
      return decodeIp(reader, result, false);
  }
  result.payload = reader.rest();
  return result;
}

/** A packet inside of an ICMP error may end anywhere: what is cut is left out, and its checksums cannot be judged. */
function decodeIp(reader: Reader, result: Decoded, quoted: boolean): Decoded {
  const begin = reader.at;
  const version = reader.peek() >> 4;
  if (version === 4) {
    const headerLength = (reader.peek() & 15) * 4;
    reader.skip(1);
    const tos = reader.number(1);
    const length = reader.number(2);
    const id = reader.number(2);
    const fragmentWord = reader.number(2);
    const [ttl, protocol] = [reader.number(1), reader.number(1)];
    reader.skip(2);
    const [source, destination] = [reader.ip4(), reader.ip4()];
    reader.skip(headerLength - 20);
    const checksumOk = onesSum(reader.bytes.subarray(begin, begin + headerLength)) === 0xffff;
    result.ip = { version, source, destination, ttl, tos, protocol, length, checksumOk, extensions: [] };
    const [offset, more] = [(fragmentWord & 0x1fff) * 8, (fragmentWord & 0x2000) !== 0];
    if (offset > 0 || more) result.ip.fragment = { id, offset, more };
    if (!quoted) reader.end = Math.min(reader.end, begin + length);
  } else {
    const tos = (reader.number(2) >> 4) & 0xff;
    reader.skip(2);
    const length = 40 + reader.number(2);
    let protocol = reader.number(1);
    const ttl = reader.number(1);
    const [source, destination] = [reader.ip6(), reader.ip6()];
    result.ip = { version: 6, source, destination, ttl, tos, protocol, length, checksumOk: true, extensions: [] };
    if (!quoted) reader.end = Math.min(reader.end, begin + length);
    while ([0, 43, 44, 60].includes(protocol)) {
      result.ip.extensions.push(protocol);
      const next = reader.number(1);
      const extra = reader.number(1);
      if (protocol === 44) {
        const word = reader.number(2);
        result.ip.fragment = { offset: word & 0xfff8, more: (word & 1) === 1, id: reader.number(4) };
      } else {
        reader.skip(6 + extra * 8);
      }
      protocol = next;
    }
    result.ip.protocol = protocol;
  }
  if ((result.ip.fragment?.offset ?? 0) === 0) decodeTransport(reader, result, result.ip, quoted);
  result.payload = reader.rest();
  return result;
}

function decodeTransport(reader: Reader, result: Decoded, ip: NonNullable<Decoded['ip']>, quoted: boolean): void {
  const segment = reader.bytes.subarray(reader.at, reader.end);
  const whole = !quoted && !ip.fragment;
  const sumOk = () => !whole || onesSum(pseudoHeader(ip, segment.length), segment) === 0xffff;
  if (quoted && segment.length < 8) return;
  switch (ip.protocol) {
    case 6: {
      const [source, destination, sequence] = [reader.number(2), reader.number(2), reader.number(4)];
      if (quoted && segment.length < 20) {
        result.tcp = { source, destination, sequence, acknowledgment: 0, flags: '', checksumOk: true };
        return;
      }
      const [acknowledgment, offset, bits] = [reader.number(4), reader.number(1) >> 4, reader.number(1)];
      const flags = [...'FSRPAUEC'].filter((_, bit) => (bits & (1 << bit)) !== 0).join('');
      reader.skip(6 + offset * 4 - 20);
      result.tcp = { source, destination, sequence, acknowledgment, flags, checksumOk: sumOk() };
      return;
    }
    case 17: {
      const [source, destination, length, checksum] = [
        reader.number(2),
        reader.number(2),
        reader.number(2),
        reader.number(2),
      ];
      // Over IPv6 it may be absent in tunnels alone (RFC 6935): ours have no ports.
      const checksumOk = checksum === 0 ? ip.version === 4 || destination === 0 : sumOk();
      result.udp = { source, destination, length, checksum, checksumOk };
      return;
    }
    case 132: {
      const [source, destination] = [reader.number(2), reader.number(2)];
      reader.skip(4);
      if (quoted && segment.length < 12) {
        result.sctp = { source, destination, chunks: [], checksumOk: true };
        return;
      }
      const said = reader.number(4);
      const chunks: number[] = [];
      for (let at = 12; at + 4 <= segment.length; ) {
        chunks.push(segment[at] ?? 0);
        at += Math.max(4, (((segment[at + 2] ?? 0) << 8) + (segment[at + 3] ?? 0) + 3) & ~3);
      }
      result.sctp = { source, destination, chunks, checksumOk: !whole || sctpChecksum(segment) === said };
      return;
    }
    case 1:
    case 58: {
      const [type, code] = [reader.number(1), reader.number(1)];
      reader.skip(2);
      const rest = reader.number(4);
      const checksumOk = !whole || (ip.protocol === 1 ? onesSum(segment) === 0xffff : sumOk());
      result.icmp = { type, code, rest, checksumOk };
      const isError = ip.protocol === 1 ? [3, 5, 11, 12].includes(type) : type < 128;
      if (isError) result.icmp.about = decodeIp(new Reader(reader.rest()), { payload: new Uint8Array() }, true);
    }
  }
}

/** Every checksum of a packet that is wrong, by its header. */
export function wrongChecksums({ ip, tcp, udp, sctp, icmp }: Decoded): string[] {
  const wrong = Object.entries({ ip, tcp, udp, sctp, icmp }).filter(([, header]) => header && !header.checksumOk);
  const inner = icmp?.about?.ip && !icmp.about.ip.checksumOk ? ['quoted ip'] : [];
  return [...wrong.map(([name]) => name), ...inner];
}

function pseudoHeader(ip: NonNullable<Decoded['ip']>, length: number): Uint8Array {
  const bytes = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const words = `${(length >>> 0).toString(16).padStart(8, '0')}${ip.protocol.toString(16).padStart(8, '0')}`;
  return Uint8Array.from([...bytes(hexOf(ip.source)), ...bytes(hexOf(ip.destination)), ...bytes(words)]);
}

/** The hex digits of an address that this module printed itself. */
function hexOf(address: string): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  if (address.includes('.'))
    return address
      .split('.')
      .map((byte) => hex(Number(byte), 2))
      .join('');
  const [head = '', tail = ''] = address.split('::');
  const words = (part: string) => part.split(':').filter((word) => word !== '');
  const missing = 8 - words(head).length - words(tail).length;
  return [...words(head), ...Array.from({ length: missing }, () => '0'), ...words(tail)]
    .map((word) => word.padStart(4, '0'))
    .join('');
}

/** One's complement sum by remainders: 2^16 is 1 modulo 2^16 - 1. 0xffff stands for zero. */
function onesSum(...parts: readonly Uint8Array[]): number {
  let total = 0n;
  for (const part of parts) {
    const hex = Buffer.from(part).toString('hex');
    total += BigInt(`0x0${hex}${part.length % 2 === 1 ? '00' : ''}`);
  }
  return Number(total % 0xffffn) || 0xffff;
}

/** CRC32c bit by bit, most significant first, as the polynomial is written in RFC 9260; the bytes as on the wire. */
function sctpChecksum(segment: Uint8Array): number {
  let crc = 0xffffffff;
  segment.forEach((byte, index) => {
    const value = index >= 8 && index < 12 ? 0 : byte;
    for (let bit = 0; bit < 8; bit++) {
      const top = ((crc >>> 31) ^ (value >> bit)) & 1;
      crc = ((crc << 1) ^ (top ? 0x1edc6f41 : 0)) >>> 0;
    }
  });
  const reflected = Number.parseInt([...(~crc >>> 0).toString(2).padStart(32, '0')].reverse().join(''), 2);
  return Buffer.from(new Uint32Array([reflected]).buffer).readUInt32BE();
}

class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  peek(): number {
    if (this.at >= this.end) throw new RangeError(`cut short at byte ${this.at}`);
    return this.bytes[this.at] ?? 0;
  }

  skip(count: number): void {
    if (this.at + count > this.end) throw new RangeError(`cut short at byte ${this.end}`);
    this.at += count;
  }

  number(size: number): number {
    const begin = this.at;
    this.skip(size);
    return this.bytes.subarray(begin, this.at).reduce((value, byte) => value * 256 + byte, 0);
  }

  mac(): string {
    return Array.from({ length: 6 }, () => this.number(1).toString(16).padStart(2, '0')).join(':');
  }

  ip4(): string {
    return Array.from({ length: 4 }, () => this.number(1)).join('.');
  }

  /** As RFC 5952 writes it: the first longest run of zeros shortened. */
  ip6(): string {
    const words = Array.from({ length: 8 }, () => this.number(2));
    const text = words.map((word) => word.toString(16)).join(':');
    const runs = [...text.matchAll(/(?<=^|:)0(:0)+(?=:|$)/g)].map((match) => match[0]);
    const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
    return longest === '' ? text : text.replace(new RegExp(`(^|:)${longest}(:|$)`), '::');
  }

  rest(): Uint8Array {
    return this.bytes.subarray(this.at, this.end);
  }
}
