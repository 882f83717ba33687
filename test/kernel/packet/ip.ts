import { concat, internetChecksum } from './checksum.ts';
import { EtherType } from './ethernet.ts';
import { be16, be32, ip4Bytes, ip6Bytes } from './fields.ts';
import { encodeLayers, type Layer } from './layer.ts';

export const Protocol = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  NO_NEXT: 59,
  DESTINATION: 60,
  SCTP: 132,
} as const;

export interface IPv4Fields {
  readonly source: string;
  readonly destination: string;
  /** Default 64. */
  readonly ttl?: number;
  readonly tos?: number;
  /** Default: what the next header is. */
  readonly protocol?: number;
  readonly id?: number;
  readonly dontFragment?: boolean;
  /** More fragments follow. */
  readonly more?: boolean;
  /** Bytes, a multiple of 8. */
  readonly fragmentOffset?: number;
  /** Header options; padded to a multiple of 4 with zeros. */
  readonly options?: Uint8Array;
  /** What the header says, right or wrong. Default: what is right. */
  readonly version?: number;
  readonly headerLength?: number;
  readonly totalLength?: number;
  readonly checksum?: number;
}

export function ipv4(fields: IPv4Fields): Layer {
  return {
    etherType: EtherType.IPV4,
    protocol: 4,
    encode(inside) {
      const { source, destination } = fields;
      const content = encodeLayers(inside, { source, destination, family: 4 });
      const options = concat(fields.options ?? new Uint8Array());
      const padded = concat(options, new Uint8Array((4 - (options.length % 4)) % 4));
      const length = 20 + padded.length;
      const flags =
        (fields.dontFragment ? 0x4000 : 0) | (fields.more ? 0x2000 : 0) | ((fields.fragmentOffset ?? 0) >> 3);
      const header = (checksum: number) =>
        concat(
          Uint8Array.of(((fields.version ?? 4) << 4) | ((fields.headerLength ?? length) >> 2), fields.tos ?? 0),
          be16(fields.totalLength ?? length + content.length),
          be16(fields.id ?? 0x1234),
          be16(flags),
          Uint8Array.of(fields.ttl ?? 64, fields.protocol ?? inside[0]?.protocol ?? 255),
          be16(checksum),
          ip4Bytes(source),
          ip4Bytes(destination),
          padded,
        );
      return concat(header(fields.checksum ?? internetChecksum(header(0))), content);
    },
  };
}

export interface IPv6Fields {
  readonly source: string;
  readonly destination: string;
  /** Default 64. */
  readonly hopLimit?: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  /** Default: what the next header is. */
  readonly nextHeader?: number;
  readonly version?: number;
  readonly payloadLength?: number;
}

export function ipv6(fields: IPv6Fields): Layer {
  return {
    etherType: EtherType.IPV6,
    protocol: 41,
    encode(inside) {
      const { source, destination } = fields;
      const content = encodeLayers(inside, { source, destination, family: 6 });
      const first =
        ((fields.version ?? 6) * 0x10000000 + ((fields.trafficClass ?? 0) << 20) + (fields.flowLabel ?? 0)) >>> 0;
      return concat(
        be32(first),
        be16(fields.payloadLength ?? content.length),
        Uint8Array.of(fields.nextHeader ?? inside[0]?.protocol ?? Protocol.NO_NEXT, fields.hopLimit ?? 64),
        ip6Bytes(source),
        ip6Bytes(destination),
        content,
      );
    },
  };
}

/** A hop-by-hop, destination or routing header; `content` begins after the two bytes that all of them have. */
export function extension(
  kind: 'hop-by-hop' | 'destination' | 'routing',
  content: Uint8Array = Uint8Array.of(1, 4, 0, 0, 0, 0),
  says: { nextHeader?: number; length?: number } = {},
): Layer {
  const protocol = { 'hop-by-hop': Protocol.HOP_BY_HOP, destination: Protocol.DESTINATION, routing: Protocol.ROUTING };
  return {
    protocol: protocol[kind],
    encode(inside, carrier) {
      const size = 2 + content.length;
      const padding = new Uint8Array((8 - (size % 8)) % 8);
      const length = says.length ?? (size + padding.length) / 8 - 1;
      const next = says.nextHeader ?? inside[0]?.protocol ?? Protocol.NO_NEXT;
      return concat(Uint8Array.of(next, length), content, padding, encodeLayers(inside, carrier));
    },
  };
}

/** The router alert of MLD packets (RFC 2711). */
export const routerAlert = Uint8Array.of(5, 2, 0, 0, 1, 0);

export interface FragmentFields {
  readonly id: number;
  /** Bytes, a multiple of 8. */
  readonly offset: number;
  readonly more: boolean;
  readonly nextHeader?: number;
}

export function fragmentHeader(fields: FragmentFields): Layer {
  return {
    protocol: Protocol.FRAGMENT,
    encode: (inside, carrier) =>
      concat(
        Uint8Array.of(fields.nextHeader ?? inside[0]?.protocol ?? Protocol.NO_NEXT, 0),
        be16(fields.offset | (fields.more ? 1 : 0)),
        be32(fields.id),
        encodeLayers(inside, carrier),
      ),
  };
}
