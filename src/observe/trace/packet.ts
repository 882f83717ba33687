import { isIPv4 } from '../../model/address.ts';
import { crc32c, internetChecksum } from './checksum.ts';

/** The first packet of a flow, as a client would send it. */
export interface TracePacket {
  readonly sourceMac: Uint8Array;
  readonly destinationMac: Uint8Array;
  /** Both of one family, 16 bytes. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'icmp';
  readonly sourcePort: number;
  /** Not of ICMP. */
  readonly destinationPort: number;
}

const numbers = { tcp: 6, udp: 17, sctp: 132 };

/** A whole Ethernet frame with right checksums: a SYN, a datagram, an INIT, an echo request. */
export function buildPacket(packet: TracePacket): Uint8Array {
  const v4 = isIPv4(packet.source);
  if (v4 !== isIPv4(packet.destination)) throw new RangeError('source and destination are of different families');
  const number = packet.protocol === 'icmp' ? (v4 ? 1 : 58) : numbers[packet.protocol];
  const payload = transport(packet, v4, number);
  const ip = v4 ? ipv4Header(packet, number, payload.length) : ipv6Header(packet, number, payload.length);
  const type = Uint8Array.from(v4 ? [0x08, 0x00] : [0x86, 0xdd]);
  return joined(packet.destinationMac, packet.sourceMac, type, ip, payload);
}

function transport(packet: TracePacket, v4: boolean, number: number): Uint8Array {
  const { sourcePort, destinationPort } = packet;
  const ports = [...be16(sourcePort), ...be16(destinationPort)];
  switch (packet.protocol) {
    case 'tcp': {
      const syn = Uint8Array.from([...ports, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0]);
      return withChecksum(syn, 16, pseudoHeader(packet, v4, number, syn.length));
    }
    case 'udp': {
      const datagram = Uint8Array.from([...ports, ...be16(16), 0, 0, ...new TextEncoder().encode('vetch...')]);
      return withChecksum(datagram, 6, pseudoHeader(packet, v4, number, datagram.length));
    }
    case 'sctp': {
      // INIT: tag, window 65535, one stream each way, first TSN 1.
      const init = [1, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 1];
      const bytes = Uint8Array.from([...ports, 0, 0, 0, 0, 0, 0, 0, 0, ...init]);
      new DataView(bytes.buffer).setUint32(8, crc32c(bytes), true);
      return bytes;
    }
    case 'icmp': {
      const echo = Uint8Array.from([v4 ? 8 : 128, 0, 0, 0, ...be16(sourcePort), 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
      return withChecksum(echo, 2, v4 ? new Uint8Array(0) : pseudoHeader(packet, v4, number, echo.length));
    }
  }
}

function ipv4Header({ source, destination }: TracePacket, protocol: number, length: number): Uint8Array {
  const header = Uint8Array.from([
    ...[0x45, 0, ...be16(20 + length), 0, 0, 0x40, 0, 64, protocol, 0, 0],
    ...source.subarray(12),
    ...destination.subarray(12),
  ]);
  return withChecksum(header, 10, new Uint8Array(0));
}

function ipv6Header({ source, destination }: TracePacket, protocol: number, length: number): Uint8Array {
  return Uint8Array.from([0x60, 0, 0, 0, ...be16(length), protocol, 64, ...source, ...destination]);
}

function pseudoHeader({ source, destination }: TracePacket, v4: boolean, protocol: number, length: number): Uint8Array {
  return v4
    ? Uint8Array.from([...source.subarray(12), ...destination.subarray(12), 0, protocol, ...be16(length)])
    : Uint8Array.from([...source, ...destination, 0, 0, ...be16(length), 0, 0, 0, protocol]);
}

function withChecksum(bytes: Uint8Array, at: number, before: Uint8Array): Uint8Array {
  bytes.set(be16(internetChecksum(before, bytes)), at);
  return bytes;
}

function be16(value: number): [number, number] {
  return [value >>> 8, value & 0xff];
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}
