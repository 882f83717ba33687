import { concat, internetChecksum } from './checksum.ts';
import { ip4Bytes, ip6Bytes } from './fields.ts';

/** The IP header that a transport header's checksum covers a part of. */
export interface Carrier {
  readonly source: string;
  readonly destination: string;
  readonly family: 4 | 6;
}

/** One header, with what it needs to know of the headers around it. */
export interface Layer {
  /** What the Ethernet header says of it. */
  readonly etherType?: number;
  /** What the IP header says of it. */
  readonly protocol?: number;
  /** The header with all that lies inside; `carrier` is the innermost IP header around. */
  encode(inside: readonly Layer[], carrier: Carrier | undefined): Uint8Array;
}

/**
 * Builds a packet from its headers, the outermost first. Lengths, next protocols and checksums are filled in, unless
 * a header says otherwise.
 *
 *     packet(eth({...}), ipv4({...}), udp({ source: 1, destination: 53 }), payload(4))
 */
export function packet(...layers: readonly Layer[]): Uint8Array {
  return encodeLayers(layers, undefined);
}

export function encodeLayers(layers: readonly Layer[], carrier: Carrier | undefined): Uint8Array {
  const [first, ...inside] = layers;
  return first ? first.encode(inside, carrier) : new Uint8Array();
}

/** Bytes as they are; a number stands for so many bytes of a pattern. */
export function payload(content: number | string | Uint8Array): Layer {
  const bytes =
    typeof content === 'number'
      ? Uint8Array.from({ length: content }, (_, index) => 0x61 + (index % 26))
      : typeof content === 'string'
        ? Buffer.from(content)
        : content;
  return { encode: (inside, carrier) => concat(bytes, encodeLayers(inside, carrier)) };
}

/** Bytes that claim to be something: a protocol that nobody knows, a slice of a packet. */
export function raw(content: Uint8Array, says: { etherType?: number; protocol?: number } = {}): Layer {
  return { ...says, encode: () => content };
}

/** The checksum of a transport segment whose own checksum field is 0. */
export function transportChecksum(segment: Uint8Array, protocol: number, carrier: Carrier | undefined): number {
  if (!carrier) return internetChecksum(segment);
  const [toBytes, length] =
    carrier.family === 4
      ? [ip4Bytes, [0, protocol, segment.length >> 8, segment.length & 0xff]]
      : [ip6Bytes, [0, 0, segment.length >> 8, segment.length & 0xff, 0, 0, 0, protocol]];
  return internetChecksum(toBytes(carrier.source), toBytes(carrier.destination), Uint8Array.from(length), segment);
}
