import type { LinkSettings } from '../netlink/link.ts';
import { hostIfnamePattern } from './desired/devices.ts';

/** A network device in the host's network namespace. */
export interface HostLink {
  readonly ifindex: number;
  readonly name: string;
  /** `veth`, `bond`, `bridge`, `tun`, `wireguard` ...; absent: a physical device or the loopback. */
  readonly kind?: string;
  /** Lower case, colons; absent where the device has no Ethernet header. */
  readonly mac?: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly loopback: boolean;
  /** Packets begin with an Ethernet header. */
  readonly ethernet: boolean;
  /** Ifindex of the bond, bridge or VRF that it belongs to. */
  readonly master?: number;
  /** Ifindex of the device that it stands on, of a macvlan or a VLAN; of a veth its peer. */
  readonly linkIndex?: number;
  /** What its maker wrote on it. */
  readonly alias?: string;
  /** Sysctls of its own; absent: not known. */
  readonly settings?: LinkSettings;
  /** The XDP program on it, anybody's. */
  readonly xdp?: { readonly mode: string; readonly programId?: number };
}

/** An address on a device of the host. */
export interface HostAddress {
  readonly ifindex: number;
  /** 16 bytes, v4-mapped. */
  readonly address: Uint8Array;
  /** As written: 0..32 or 0..128. */
  readonly prefixLength: number;
  /** Reaches beyond the link; false of 169.254.0.0/16, fe80::/10 and loopback addresses. */
  readonly global: boolean;
  /** Not one to send from: secondary, deprecated, temporary, tentative or failed. */
  readonly secondary: boolean;
}

/** The ports that the kernel gives to sockets that did not ask for one; both ends are included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What `desired` needs to know of the host beside the intent. Read, never wished for. */
export interface HostFacts {
  /** Cookie of the host's network namespace. */
  readonly netnsCookie: bigint;
  readonly links: readonly HostLink[];
  readonly addresses: readonly HostAddress[];
  /** Ifindexes that carry a default route. */
  readonly defaultRoutes: readonly number[];
  readonly localPorts: PortRange;
  /** Packets may have to be encrypted between the stack and a device: no program may take them past it. */
  readonly ipsec: boolean;
  /** Ids of the cgroups of endpoints in the host's namespace, by path; of what is gone, none. Default: there are none. */
  readonly cgroups?: ReadonlyMap<string, bigint>;
  readonly uplink: 'auto' | readonly string[];
}

/** Where the name of each device leads; built once a pass. */
export function linksByName(facts: Pick<HostFacts, 'links'>): ReadonlyMap<string, HostLink> {
  return new Map(facts.links.map((link) => [link.name, link]));
}

/** Without the devices of endpoints, of which there are thousands: what of them matters is known by endpoint when a pass is over. */
export function withoutEndpoints(facts: HostFacts): HostFacts {
  return { ...facts, links: facts.links.filter(({ name }) => !hostIfnamePattern.test(name)) };
}
