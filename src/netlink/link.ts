import { AddressFamily } from '../loader/ffi/libc.ts';
import { formatMac } from '../model/address.ts';
import { defined } from './defined.ts';
import { type Attributes, Payload } from './payload.ts';

/** `IFLA_*` of linux/if_link.h. */
export const LinkAttribute = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  QDISC: 6,
  MASTER: 10,
  TXQLEN: 13,
  OPERSTATE: 16,
  LINKINFO: 18,
  IFALIAS: 20,
  STATS64: 23,
  AF_SPEC: 26,
  GROUP: 27,
  NET_NS_FD: 28,
  EXT_MASK: 29,
  NUM_TX_QUEUES: 31,
  NUM_RX_QUEUES: 32,
  CARRIER: 33,
  LINK_NETNSID: 37,
  XDP: 43,
  PROP_LIST: 52,
  ALT_IFNAME: 53,
} as const;

export const LinkInfo = { KIND: 1, DATA: 2 } as const;

/** `IFLA_VXLAN_*`. */
export const VxlanInfo = { LEARNING: 7, PORT: 15, UDP_ZERO_CSUM6_RX: 20, COLLECT_METADATA: 25 } as const;

const IFLA_INET_CONF = 1;
const IFLA_INET6_CONF = 2;
/** Of linux/ip.h and linux/ipv6.h. */
const IPV4_DEVCONF_FORWARDING = 1;
const DEVCONF_FORWARDING = 0;
const DEVCONF_ACCEPT_RA = 3;
const DEVCONF_DISABLE_IPV6 = 26;

/** `IFF_*` of linux/if.h. */
export const LinkFlag = {
  UP: 1,
  BROADCAST: 2,
  LOOPBACK: 8,
  POINTOPOINT: 0x10,
  RUNNING: 0x40,
  NOARP: 0x80,
  PROMISC: 0x100,
  ALLMULTI: 0x200,
  MULTICAST: 0x1000,
  LOWER_UP: 0x10000,
} as const;

const operstates = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const;
export type OperState = (typeof operstates)[number];

const xdpModes = ['none', 'native', 'generic', 'offloaded', 'several'] as const;
const ARPHRD_ETHER = 1;
/** Of `struct ifinfomsg`. */
const headerSize = 16;

/** A network device. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, `bond`, `tun`, `vxlan` ...; absent: a physical device or the loopback. */
  readonly kind?: string;
  /** Lower case, colons; absent where the device has no Ethernet header. */
  readonly mac?: string;
  readonly mtu: number;
  /** `ARPHRD_*`. */
  readonly type: number;
  /** `IFF_*`. */
  readonly flags: number;
  /** Set up by the administrator; `operstate` says whether it works. */
  readonly up: boolean;
  readonly loopback: boolean;
  readonly noarp: boolean;
  /** Packets begin with an Ethernet header. */
  readonly ethernet: boolean;
  /** Follows within milliseconds, not at once. */
  readonly operstate: OperState;
  /** Ifindex of the bond, bridge or VRF that it belongs to. */
  readonly master?: number;
  /** Ifindex of a veth's peer, or of the device below; in the namespace of `linkNetnsId` where that is present. */
  readonly linkIndex?: number;
  /** Our namespace's number for the one that the peer or lower device lives in; absent: our own. */
  readonly linkNetnsId?: number;
  readonly qdisc?: string;
  readonly txQueueLength?: number;
  readonly alias?: string;
  readonly altNames: readonly string[];
  readonly xdp?: LinkXdp;
  /** Of a VXLAN device. */
  readonly vxlan?: LinkVxlan;
  /** Devices of a group can be deleted together; 0 is everybody's. */
  readonly group: number;
  readonly settings: LinkSettings;
  readonly statistics: LinkStatistics;
}

/** Some of its sysctls, `net/ipv4/conf/NAME` and `net/ipv6/conf/NAME`: of many devices much cheaper than their files. */
export interface LinkSettings {
  /** Absent of a family that the kernel or the device has not; numbers are the sysctls' own. */
  readonly forwarding4?: number;
  readonly forwarding6?: number;
  readonly acceptRa?: number;
  readonly disableIpv6?: number;
}

export interface LinkVxlan {
  /** UDP port. */
  readonly port: number;
  /** It is told with each packet where the tunnel ends. */
  readonly external: boolean;
}

/** The XDP program on a device. */
export interface LinkXdp {
  readonly mode: (typeof xdpModes)[number];
  /** Absent of several at once. */
  readonly programId?: number;
}

/** Since the device was made. Exact to 2^53. */
export interface LinkStatistics {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

/** What of a device matters to those who look at thousands. */
export type LinkSummary = Pick<Link, 'index' | 'name' | 'mtu' | 'up' | 'loopback' | 'ethernet' | 'settings'> &
  Pick<Link, 'kind' | 'mac' | 'master' | 'linkIndex' | 'alias' | 'xdp'>;

/** Likewise, with nothing else. */
export function decodeLinkSummary(payload: Payload): LinkSummary {
  const attributes = payload.attributes(headerSize);
  const flags = payload.u32(8);
  const ethernet = payload.u16(2) === ARPHRD_ETHER;
  const mac = ethernet ? attributes.bytes(LinkAttribute.ADDRESS) : undefined;
  const kind = attributes.nested(LinkAttribute.LINKINFO)?.text(LinkInfo.KIND);
  const master = attributes.u32(LinkAttribute.MASTER);
  const linkIndex = attributes.u32(LinkAttribute.LINK);
  const alias = attributes.text(LinkAttribute.IFALIAS);
  const xdp = decodeXdp(attributes.nested(LinkAttribute.XDP));
  return {
    index: payload.s32(4),
    name: attributes.text(LinkAttribute.IFNAME) ?? '',
    mtu: attributes.u32(LinkAttribute.MTU) ?? 0,
    up: (flags & LinkFlag.UP) !== 0,
    loopback: (flags & LinkFlag.LOOPBACK) !== 0,
    ethernet,
    settings: decodeSettings(attributes.nested(LinkAttribute.AF_SPEC)),
    ...(kind === undefined ? {} : { kind }),
    ...(mac?.length === 6 ? { mac: formatMac(mac) } : {}),
    ...(master ? { master } : {}),
    ...(linkIndex ? { linkIndex } : {}),
    ...(alias === undefined ? {} : { alias }),
    ...(xdp ? { xdp } : {}),
  };
}

/** Reads RTM_NEWLINK or RTM_DELLINK. */
export function decodeLink(payload: Payload): Link {
  const attributes = payload.attributes(headerSize);
  const flags = payload.u32(8);
  const type = payload.u16(2);
  const mac = attributes.bytes(LinkAttribute.ADDRESS);
  const info = attributes.nested(LinkAttribute.LINKINFO);
  return defined({
    index: payload.s32(4),
    name: attributes.text(LinkAttribute.IFNAME) ?? '',
    kind: info?.text(LinkInfo.KIND),
    mac: mac?.length === 6 && type === ARPHRD_ETHER ? formatMac(mac) : undefined,
    mtu: attributes.u32(LinkAttribute.MTU) ?? 0,
    type,
    flags,
    up: (flags & LinkFlag.UP) !== 0,
    loopback: (flags & LinkFlag.LOOPBACK) !== 0,
    noarp: (flags & LinkFlag.NOARP) !== 0,
    ethernet: type === ARPHRD_ETHER,
    operstate: operstates[attributes.u8(LinkAttribute.OPERSTATE) ?? 0] ?? 'unknown',
    master: attributes.u32(LinkAttribute.MASTER) || undefined,
    linkIndex: attributes.u32(LinkAttribute.LINK) || undefined,
    linkNetnsId: attributes.get(LinkAttribute.LINK_NETNSID)?.s32(),
    qdisc: attributes.text(LinkAttribute.QDISC),
    txQueueLength: attributes.u32(LinkAttribute.TXQLEN),
    alias: attributes.text(LinkAttribute.IFALIAS),
    altNames: altNames(attributes),
    vxlan: info?.text(LinkInfo.KIND) === 'vxlan' ? decodeVxlan(info.nested(LinkInfo.DATA)) : undefined,
    xdp: decodeXdp(attributes.nested(LinkAttribute.XDP)),
    group: attributes.u32(LinkAttribute.GROUP) ?? 0,
    settings: decodeSettings(attributes.nested(LinkAttribute.AF_SPEC)),
    statistics: decodeStatistics(attributes.get(LinkAttribute.STATS64)),
  });
}

function decodeVxlan(data: Attributes | undefined): LinkVxlan {
  return {
    port: data?.get(VxlanInfo.PORT)?.be16() ?? 0,
    external: data?.u8(VxlanInfo.COLLECT_METADATA) === 1,
  };
}

function altNames(attributes: Attributes): string[] {
  const properties = attributes.nested(LinkAttribute.PROP_LIST);
  if (!properties) return [];
  return [...properties].filter(([type]) => type === LinkAttribute.ALT_IFNAME).map(([, value]) => value.text());
}

function decodeXdp(xdp: Attributes | undefined): LinkXdp | undefined {
  const attached = xdp?.u8(2) ?? 0;
  const mode = xdpModes[attached];
  if (mode === undefined || attached === 0) return undefined;
  const programId = xdp?.u32(4);
  return programId === undefined ? { mode } : { mode, programId };
}

/** Each family's settings are an array of 32-bit numbers; IPv4's begins with its number 1. */
function decodeSettings(families: Attributes | undefined): LinkSettings {
  const ipv4 = families?.nested(AddressFamily.INET)?.get(IFLA_INET_CONF);
  const ipv6 = families?.nested(AddressFamily.INET6)?.get(IFLA_INET6_CONF);
  const at = (conf: Payload | undefined, index: number) =>
    conf && conf.length >= 4 * (index + 1) ? conf.s32(4 * index) : undefined;
  return defined({
    forwarding4: at(ipv4, IPV4_DEVCONF_FORWARDING - 1),
    forwarding6: at(ipv6, DEVCONF_FORWARDING),
    acceptRa: at(ipv6, DEVCONF_ACCEPT_RA),
    disableIpv6: at(ipv6, DEVCONF_DISABLE_IPV6),
  });
}

/** `struct rtnl_link_stats64` */
function decodeStatistics(stats = Payload.of(new Uint8Array(64))): LinkStatistics {
  return {
    rxPackets: stats.u64(0),
    txPackets: stats.u64(8),
    rxBytes: stats.u64(16),
    txBytes: stats.u64(24),
    rxErrors: stats.u64(32),
    txErrors: stats.u64(40),
    rxDropped: stats.u64(48),
    txDropped: stats.u64(56),
  };
}
