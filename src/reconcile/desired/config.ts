import { ConfigFlag } from '../../maps/generated/abi.ts';
import { parseMac } from '../../model/address.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import { type HostFacts, linksByName } from '../facts.ts';
import { hostDevice } from './devices.ts';
import { snatPorts } from './ports.ts';
import type { Limits } from './rates.ts';

/** Seconds; of established TCP and SCTP what Linux's own conntrack takes: idle database connections live. */
const timeouts = {
  timeoutNew: 30,
  timeoutUdp: 120,
  timeoutIcmp: 30,
  timeoutEstablished: 432_000,
  timeoutClosing: 120,
  timeoutClosed: 10,
  // Linux sends again after 120 s at the most (TCP_RTO_MAX).
  timeoutRefused: 300,
};

/** An eighth of the conntrack map; nearly all the ports that one remote address and port can be reached from. */
const quotas = { flowQuota: 32_768, snatQuota: 4_096, quotaWindow: 60 };

/** VXLAN's (RFC 7348). What a container sends there would pass for a node's, or for a tunnel of the host's own. */
export const tunnelPort = 4789;

/** Where WireGuard's packets come in, by the slot of the key that they are for. */
export const wireguardPorts = [51_871, 51_872] as const;

/** Frames a second: mDNS, ARP storms of a boot and cluster heartbeats stay far below. */
const floodRate = 500;

/** How packets to other hosts leave. */
export interface WayToHosts {
  /** Ifindex of the VXLAN device; 0: there is none. */
  readonly overlay: number;
  /** What another host answers for may be sent on by `xdp_uplink`. */
  readonly straightByXdp: boolean;
}

export const noWay: WayToHosts = { overlay: 0, straightByXdp: false };

/**
 * The single entry of `config`.
 *
 * @param generation the permissions' own count: it outlives the daemon in the map
 * @param limits who has limits, and where what they delay waits
 * @param way the device that leads to other hosts, and whether packets go there before the stack, too
 */
export function configEntry(facts: HostFacts, generation: number, limits: Limits, way: WayToHosts): MapEntry {
  const ports = snatPorts(facts.localPorts);
  return entryOf('config', 0, {
    hostNetns: facts.netnsCookie,
    generation,
    flags:
      ConfigFlag.EVENTS_DROPPED |
      ConfigFlag.EVENTS_FORWARDED |
      (limits.ingress ? ConfigFlag.INGRESS_LIMITS : 0) |
      (facts.ipsec ? ConfigFlag.TUNNELS_BY_DEVICE : 0) |
      (way.straightByXdp ? ConfigFlag.STRAIGHT_BY_XDP : 0),
    shaperIfindex: limits.shaper,
    overlayIfindex: way.overlay,
    hostIfindex: linksByName(facts).get(hostDevice.name)?.ifindex ?? 0,
    hostMac: parseMac(hostDevice.mac),
    snatPortMin: ports.first,
    snatPortMax: ports.last,
    tunnelPort,
    floodRate,
    ...quotas,
    ...timeouts,
  });
}
