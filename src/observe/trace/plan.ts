import { VetchError } from '../../api/error.ts';
import type { TraceHook } from '../../api/schemas/trace.ts';
import { isIPv4 } from '../../model/address.ts';
import { buildPacket, type TracePacket } from './packet.ts';

/** What a REF of a trace stands for; exactly one thing. */
export type TraceEnd =
  | {
      readonly kind: 'endpoint';
      readonly network: number;
      readonly addresses: readonly Uint8Array[];
      readonly mac: Uint8Array;
      /** Of the host's end of its veth. */
      readonly ifindex: number;
      /** Where its LAN's frames come in, and the MAC that they go to; absent: it is on none. */
      readonly lan?: { readonly hook: 'from_lan' | 'from_parent'; readonly ifindex: number; readonly mac: Uint8Array };
    }
  | { readonly kind: 'host' }
  /** Somewhere outside; `address` where the REF was one. */
  | { readonly kind: 'world'; readonly address?: Uint8Array };

/** An uplink, as packets from outside see it. */
export interface TraceUplink {
  readonly ifindex: number;
  readonly mac: Uint8Array;
  /** Addresses of the host there. */
  readonly addresses: readonly Uint8Array[];
  /** tun, WireGuard: packets begin with the IP header. */
  readonly noEthernet: boolean;
}

/** What a trace has to know of this host. */
export interface TraceSite {
  readonly hostDevice: { readonly ifindex: number; readonly mac: Uint8Array };
  /** The host's address in a network, of a family: its gateway. */
  gateway(network: number, v4: boolean): Uint8Array | undefined;
  readonly uplinks: readonly TraceUplink[];
}

/** A packet at a hook; further hooks get what the one before lets pass. */
export interface TracePlan {
  readonly hooks: readonly TraceHook[];
  readonly ifindex: number;
  readonly packet: Uint8Array;
}

/** TEST-NET-3 and the documentation prefix: somebody outside that nobody is. */
const worldV4 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 203, 0, 113, 77);
const worldV6 = Uint8Array.of(0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77);
const worldMac = Uint8Array.of(0x02, 0, 0, 0, 0, 0x77);

/** Source port, or the identifier of an echo request. */
const sourcePort = 47_777;

/**
 * Where the first packet of a flow is met by a program first, and how it looks there.
 *
 * @param port as `80/tcp`, `80`, `icmp`.
 * @throws {VetchError} INVALID when the ends have no address of one family, UNSUPPORTED for a flow that no program sees.
 */
export function planTrace(from: TraceEnd, to: TraceEnd, port: string, site: TraceSite): TracePlan {
  const { protocol, destinationPort } = parsePort(port);
  const rest = { protocol, sourcePort, destinationPort } as const;
  if (from.kind === 'endpoint') {
    const { source, destination } = addressesOf(from.addresses, targets(to, site, from));
    const direct = to.kind === 'endpoint' && to.network === from.network;
    const destinationMac = direct ? to.mac : site.hostDevice.mac;
    const packet = { ...rest, source, destination, sourceMac: from.mac, destinationMac };
    return { hooks: ['from_endpoint'], ifindex: from.ifindex, packet: buildPacket(packet) };
  }
  if (from.kind === 'host') {
    if (to.kind !== 'endpoint') {
      throw new VetchError(
        'UNSUPPORTED',
        'a packet from the host to there meets no program of ours',
        'trace to an endpoint',
      );
    }
    const gateways = [true, false].flatMap((v4) => site.gateway(to.network, v4) ?? []);
    const { source, destination } = addressesOf(gateways, to.addresses);
    const { mac, ifindex } = site.hostDevice;
    const packet = { ...rest, source, destination, sourceMac: mac, destinationMac: mac };
    return { hooks: ['from_host'], ifindex, packet: buildPacket(packet) };
  }
  return fromWorld(from.address, to, rest, site);
}

function fromWorld(
  address: Uint8Array | undefined,
  to: TraceEnd,
  rest: Pick<TracePacket, 'protocol' | 'sourcePort' | 'destinationPort'>,
  site: TraceSite,
): TracePlan {
  if (to.kind === 'endpoint' && to.lan) {
    const { source, destination } = addressesOf(address ? [address] : [worldV4, worldV6], to.addresses);
    const { hook, ifindex, mac } = to.lan;
    const packet = buildPacket({ ...rest, source, destination, sourceMac: worldMac, destinationMac: mac });
    return { hooks: [hook], ifindex, packet };
  }
  const [uplink] = site.uplinks;
  if (!uplink) {
    throw new VetchError(
      'UNSUPPORTED',
      'this host has no uplink: nothing comes from outside',
      'see --uplink of the daemon',
    );
  }
  const { source, destination } = addressesOf(address ? [address] : [worldV4, worldV6], targets(to, site));
  const packet = buildPacket({ ...rest, source, destination, sourceMac: worldMac, destinationMac: uplink.mac });
  return {
    hooks: uplink.noEthernet ? ['from_uplink'] : ['xdp_uplink', 'from_uplink'],
    ifindex: uplink.ifindex,
    packet: uplink.noEthernet ? packet.subarray(14) : packet,
  };
}

function targets(to: TraceEnd, site: TraceSite, from?: Extract<TraceEnd, { kind: 'endpoint' }>): readonly Uint8Array[] {
  switch (to.kind) {
    case 'endpoint':
      return to.addresses;
    case 'host': {
      const gateways = from ? [true, false].flatMap((v4) => site.gateway(from.network, v4) ?? []) : [];
      return [...gateways, ...site.uplinks.flatMap(({ addresses }) => addresses)];
    }
    case 'world':
      return to.address ? [to.address] : [worldV4, worldV6];
  }
}

/** The first pair of one family, IPv4 before IPv6. */
function addressesOf(sources: readonly Uint8Array[], destinations: readonly Uint8Array[]) {
  for (const v4 of [true, false]) {
    const source = sources.find((address) => isIPv4(address) === v4);
    const destination = destinations.find((address) => isIPv4(address) === v4);
    if (source && destination) return { source, destination };
  }
  throw new VetchError('INVALID', 'the two have no addresses of one family', 'trace between addresses of one family');
}

function parsePort(port: string): Pick<TracePacket, 'protocol' | 'destinationPort'> {
  if (port === 'icmp') return { protocol: 'icmp', destinationPort: 0 };
  const [number, protocol = 'tcp'] = port.split('/');
  const destinationPort = Number(number);
  if (!(destinationPort >= 1 && destinationPort <= 65535) || !/^(tcp|udp|sctp)$/.test(protocol)) {
    throw new VetchError(
      'INVALID',
      `no such port: ${port}`,
      'use 80/tcp, 53/udp, 80/sctp or icmp; ports are 1 to 65535',
    );
  }
  return { protocol: protocol as 'tcp' | 'udp' | 'sctp', destinationPort };
}
