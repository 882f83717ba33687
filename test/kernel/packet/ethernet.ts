import { concat } from './checksum.ts';
import { be16, ip4Bytes, macBytes } from './fields.ts';
import { encodeLayers, type Layer } from './layer.ts';

export const EtherType = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, IPV6: 0x86dd } as const;

export const broadcastMac = 'ff:ff:ff:ff:ff:ff';

export interface EthernetFields {
  readonly destination: string;
  readonly source: string;
  /** Default: what the next header is. */
  readonly etherType?: number;
}

export function eth(fields: EthernetFields): Layer {
  return {
    encode(inside) {
      const etherType = fields.etherType ?? inside[0]?.etherType ?? 0;
      const header = concat(macBytes(fields.destination), macBytes(fields.source), be16(etherType));
      return concat(header, encodeLayers(inside, undefined));
    },
  };
}

/** An 802.1Q tag inside of the frame's bytes. */
export function vlan(id: number): Layer {
  return {
    etherType: EtherType.VLAN,
    encode: (inside) => concat(be16(id), be16(inside[0]?.etherType ?? 0), encodeLayers(inside, undefined)),
  };
}

export interface ArpFields {
  readonly operation: 'request' | 'reply' | number;
  readonly senderMac: string;
  readonly senderIp: string;
  /** Default: all zero. */
  readonly targetMac?: string;
  readonly targetIp: string;
  /** Default: 1, Ethernet. */
  readonly hardwareType?: number;
  readonly hardwareLength?: number;
}

export function arp(fields: ArpFields): Layer {
  const { operation } = fields;
  const code = operation === 'request' ? 1 : operation === 'reply' ? 2 : operation;
  return {
    etherType: EtherType.ARP,
    encode: () =>
      concat(
        be16(fields.hardwareType ?? 1),
        be16(EtherType.IPV4),
        Uint8Array.of(fields.hardwareLength ?? 6, 4),
        be16(code),
        macBytes(fields.senderMac),
        ip4Bytes(fields.senderIp),
        macBytes(fields.targetMac ?? '00:00:00:00:00:00'),
        ip4Bytes(fields.targetIp),
      ),
  };
}
