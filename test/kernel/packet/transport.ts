import { concat, crc32c } from './checksum.ts';
import { be16, be32 } from './fields.ts';
import { Protocol } from './ip.ts';
import { encodeLayers, type Layer, transportChecksum } from './layer.ts';

const tcpFlags = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32, E: 64, C: 128 } as const;

export interface TcpFields {
  readonly source: number;
  readonly destination: number;
  /** Letters as tcpdump has them: S, A, F, R, P, U, E, C. Default `S`. */
  readonly flags?: string;
  readonly sequence?: number;
  readonly acknowledgment?: number;
  readonly window?: number;
  /** Padded to a multiple of 4 with zeros. */
  readonly options?: Uint8Array;
  /** Bytes; what the header says, right or wrong. */
  readonly dataOffset?: number;
  readonly checksum?: number;
}

export function tcp(fields: TcpFields): Layer {
  return {
    protocol: Protocol.TCP,
    encode(inside, carrier) {
      const options = fields.options ?? new Uint8Array();
      const padded = concat(options, new Uint8Array((4 - (options.length % 4)) % 4));
      const flags = [...(fields.flags ?? 'S')].reduce(
        (bits, letter) => bits | tcpFlags[letter as keyof typeof tcpFlags],
        0,
      );
      const segment = (checksum: number) =>
        concat(
          be16(fields.source),
          be16(fields.destination),
          be32(fields.sequence ?? 1000),
          be32(fields.acknowledgment ?? 0),
          Uint8Array.of(((fields.dataOffset ?? 20 + padded.length) >> 2) << 4, flags),
          be16(fields.window ?? 65535),
          be16(checksum),
          be16(0),
          padded,
          encodeLayers(inside, carrier),
        );
      return segment(fields.checksum ?? transportChecksum(segment(0), Protocol.TCP, carrier));
    },
  };
}

export interface UdpFields {
  readonly source: number;
  readonly destination: number;
  readonly length?: number;
  /** 0: none was computed (IPv4). Default: what is right. */
  readonly checksum?: number;
}

export function udp(fields: UdpFields): Layer {
  return {
    protocol: Protocol.UDP,
    encode(inside, carrier) {
      const content = encodeLayers(inside, carrier);
      const datagram = (checksum: number) =>
        concat(
          be16(fields.source),
          be16(fields.destination),
          be16(fields.length ?? 8 + content.length),
          be16(checksum),
          content,
        );
      // A sum of 0 is sent as its other form (RFC 768).
      return datagram(fields.checksum ?? (transportChecksum(datagram(0), Protocol.UDP, carrier) || 0xffff));
    },
  };
}

/** The first byte of a chunk (RFC 9260, 3.2). */
export const SctpChunk = {
  DATA: 0,
  INIT: 1,
  INIT_ACK: 2,
  ABORT: 6,
  SHUTDOWN: 7,
  SHUTDOWN_ACK: 8,
  COOKIE_ECHO: 10,
  COOKIE_ACK: 11,
  SHUTDOWN_COMPLETE: 14,
} as const;

export interface SctpFields {
  readonly source: number;
  readonly destination: number;
  readonly tag?: number;
  /** Default: one INIT. */
  readonly chunks?: readonly { readonly type: number; readonly flags?: number; readonly value?: Uint8Array }[];
  readonly checksum?: number;
}

export function sctp(fields: SctpFields): Layer {
  return {
    protocol: Protocol.SCTP,
    encode(inside, carrier) {
      const chunks = (fields.chunks ?? [{ type: SctpChunk.INIT, value: new Uint8Array(16) }]).map((chunk) => {
        const value = chunk.value ?? new Uint8Array();
        const padding = new Uint8Array((4 - (value.length % 4)) % 4);
        return concat(Uint8Array.of(chunk.type, chunk.flags ?? 0), be16(4 + value.length), value, padding);
      });
      const segment = (checksum: number) =>
        concat(
          be16(fields.source),
          be16(fields.destination),
          be32(fields.tag ?? 0),
          be32(checksum).reverse(), // the one little-endian field there is
          ...chunks,
          encodeLayers(inside, carrier),
        );
      return segment(fields.checksum ?? crc32c(segment(0)));
    },
  };
}
