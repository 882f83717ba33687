import { concat, internetChecksum } from './checksum.ts';
import { be16, be32, ip6Bytes, macBytes } from './fields.ts';
import { Protocol } from './ip.ts';
import { encodeLayers, type Layer, transportChecksum } from './layer.ts';

export interface IcmpFields {
  readonly type: number;
  /** Default 0. */
  readonly code?: number;
  /** Bytes 4 to 7 of the header. Default 0. */
  readonly rest?: number;
  readonly checksum?: number;
}

export function icmp(fields: IcmpFields): Layer {
  return message(Protocol.ICMP, fields);
}

export function icmpv6(fields: IcmpFields): Layer {
  return message(Protocol.ICMPV6, fields);
}

/** Echo of either family: `echo(4, 'request', { id: 7, sequence: 1 })`. */
export function echo(
  family: 4 | 6,
  kind: 'request' | 'reply',
  { id = 7, sequence = 1, ...fields }: { id?: number; sequence?: number; checksum?: number } = {},
): Layer {
  const rest = ((id << 16) | sequence) >>> 0;
  if (family === 4) return icmp({ type: kind === 'request' ? 8 : 0, rest, ...fields });
  return icmpv6({ type: kind === 'request' ? 128 : 129, rest, ...fields });
}

/** Errors that carry the packet they are about, as the layers that follow. */
export const icmpErrors = {
  unreachable: (code: number): Layer => icmp({ type: 3, code }),
  fragmentationNeeded: (mtu: number): Layer => icmp({ type: 3, code: 4, rest: mtu }),
  timeExceeded: (): Layer => icmp({ type: 11 }),
  redirect: (): Layer => icmp({ type: 5, code: 1 }),
  unreachable6: (code: number): Layer => icmpv6({ type: 1, code }),
  packetTooBig: (mtu: number): Layer => icmpv6({ type: 2, rest: mtu }),
  timeExceeded6: (): Layer => icmpv6({ type: 3 }),
} as const;

/** One option of neighbour discovery: 1 source link-layer address, 2 target's. */
function linkLayerOption(type: 1 | 2, mac: string): Uint8Array {
  return concat(Uint8Array.of(type, 1), macBytes(mac));
}

export function neighbourSolicitation(target: string, sourceMac?: string): Layer {
  return message(
    Protocol.ICMPV6,
    { type: 135 },
    concat(ip6Bytes(target), sourceMac ? linkLayerOption(1, sourceMac) : new Uint8Array()),
  );
}

/** Flags: R 0x80, S 0x40, O 0x20. */
export function neighbourAdvertisement(target: string, mac: string | undefined, flags = 0x60): Layer {
  const content = concat(ip6Bytes(target), mac ? linkLayerOption(2, mac) : new Uint8Array());
  return message(Protocol.ICMPV6, { type: 136, rest: (flags << 24) >>> 0 }, content);
}

export function routerSolicitation(sourceMac?: string): Layer {
  return message(Protocol.ICMPV6, { type: 133 }, sourceMac ? linkLayerOption(1, sourceMac) : new Uint8Array());
}

export function routerAdvertisement(sourceMac: string): Layer {
  return message(
    Protocol.ICMPV6,
    { type: 134, rest: 0x40000708 },
    concat(new Uint8Array(8), linkLayerOption(1, sourceMac)),
  );
}

export function redirect6(target: string, destination: string): Layer {
  return message(Protocol.ICMPV6, { type: 137 }, concat(ip6Bytes(target), ip6Bytes(destination)));
}

/** MLDv2 report of one group (RFC 3810, 5.2). */
export function mldReport(group: string): Layer {
  return message(Protocol.ICMPV6, { type: 143, rest: 1 }, concat(Uint8Array.of(4, 0, 0, 0), ip6Bytes(group)));
}

function message(protocol: number, fields: IcmpFields, content: Uint8Array = new Uint8Array()): Layer {
  return {
    protocol,
    encode(inside, carrier) {
      // What an error carries is a packet of its own: its headers know nothing of those around the error.
      const body = concat(content, encodeLayers(inside, undefined));
      const bytes = (checksum: number) =>
        concat(Uint8Array.of(fields.type, fields.code ?? 0), be16(checksum), be32(fields.rest ?? 0), body);
      const right =
        protocol === Protocol.ICMP ? internetChecksum(bytes(0)) : transportChecksum(bytes(0), protocol, carrier);
      return bytes(fields.checksum ?? right);
    },
  };
}
