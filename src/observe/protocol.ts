import { VetchError } from '../api/error.ts';

const names: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  6: 'tcp',
  17: 'udp',
  58: 'icmpv6',
  132: 'sctp',
};

const numbers = new Map(Object.entries(names).map(([number, name]) => [name, Number(number)]));

const arp = 0x0806;

/** Lower case; a protocol without a name is its number. */
export function protocolName(protocol: number): string {
  return names[protocol] ?? String(protocol);
}

/** Of a flow event: what is not IP has protocol 0 and is told by its EtherType, as `arp` or `ethertype-88cc`. */
export function frameProtocolName(protocol: number, ethertype: number): string {
  if (protocol !== 0 || ethertype === 0x0800 || ethertype === 0x86dd) return protocolName(protocol);
  return ethertype === arp ? 'arp' : `ethertype-${ethertype.toString(16).padStart(4, '0')}`;
}

/** What a user calls a protocol. `ethertype` is there for what is not IP. */
export interface ProtocolMatch {
  readonly protocol: number;
  readonly ethertype?: number;
}

/** @throws {VetchError} INVALID for what `frameProtocolName` never gives. */
export function parseProtocol(text: string): ProtocolMatch {
  if (text === 'arp') return { protocol: 0, ethertype: arp };
  const ethertype = /^ethertype-([0-9a-f]{4})$/.exec(text)?.[1];
  if (ethertype) return { protocol: 0, ethertype: Number.parseInt(ethertype, 16) };
  const number = numbers.get(text) ?? (/^\d{1,3}$/.test(text) ? Number(text) : Number.NaN);
  if (!(number >= 0 && number <= 255)) {
    throw new VetchError(
      'INVALID',
      `unknown protocol ${text}`,
      `use ${[...numbers.keys()].join(', ')}, arp, or a number from 0 to 255`,
    );
  }
  return { protocol: number };
}
