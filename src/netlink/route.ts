import { VetchError } from '../api/error.ts';
import { AddressFamily } from '../loader/ffi/libc.ts';
import { defined } from './defined.ts';
import { addressText, anyAddress, familyNumber, ipVersion, isInternet, toIpAddress, toIpPrefix } from './ip.ts';
import { Flag, type Request, Rtm } from './message.ts';
import { MessageWriter } from './message-writer.ts';
import { Payload } from './payload.ts';
import { type Scope, scopeName, scopes } from './scope.ts';

const RTNH_F_ONLINK = 4;
/** An entry of a cache, not of a table. */
const RTM_F_CLONED = 0x200;
/** Of `struct rtmsg`. */
const headerSize = 12;

/** `RTA_*` of linux/rtnetlink.h. */
const Attribute = {
  DST: 1,
  OIF: 4,
  GATEWAY: 5,
  PRIORITY: 6,
  PREFSRC: 7,
  METRICS: 8,
  MULTIPATH: 9,
  TABLE: 15,
  VIA: 18,
} as const;
const RTAX_MTU = 2;

/** `RTN_*` */
const types = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
] as const;
export type RouteType = (typeof types)[number];

/** Tables that the kernel knows by itself. */
export const RouteTable = { DEFAULT: 253, MAIN: 254, LOCAL: 255 } as const;

/** Who made a route: `RTPROT_*`, or a number of one's own. */
export const RouteProtocol = { KERNEL: 2, BOOT: 3, STATIC: 4, RA: 9, DHCP: 16 } as const;

/** What makes a route what it is: the key of a table, and where it leads. */
export interface RouteSpec {
  /** `10.88.0.0/16`, an address alone, or everything: `0.0.0.0/0`, `::/0`. */
  readonly destination: string;
  /** Of the same family. */
  readonly gateway?: string;
  /** The device; may be left out where the gateway says it, and of `unreachable` and its like. */
  readonly ifindex?: number;
  /** The preferred source address; it must be the host's. */
  readonly source?: string;
  /** IPv4 only. Default: `link` without a gateway, else `universe`. */
  readonly scope?: Scope;
  /** The gateway is reachable on the device, though no route says so. Default: false. */
  readonly onlink?: boolean;
  /** Lower wins. Default: 0 of IPv4, 1024 of IPv6. */
  readonly metric?: number;
  /** Default: the main table. */
  readonly table?: number;
  /** Default: `unicast`. */
  readonly type?: RouteType;
  /** Default: `RouteProtocol.STATIC`. */
  readonly protocol?: number;
  /** Bytes; of paths by this route. Absent: the device's. */
  readonly mtu?: number;
}

/** A route of a table. */
export interface Route {
  readonly family: 4 | 6;
  /** Canonical; `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: string;
  readonly gateway?: string;
  /** Absent of several next hops, and of `unreachable` and its like. */
  readonly ifindex?: number;
  readonly source?: string;
  readonly scope: Scope;
  readonly onlink: boolean;
  readonly metric: number;
  readonly table: number;
  readonly type: RouteType;
  readonly protocol: number;
  /** Of several next hops: where each leads. */
  readonly nextHops?: readonly NextHop[];
}

export interface NextHop {
  readonly ifindex: number;
  readonly gateway?: string;
}

/** Which routes to list: the kernel looks through no others. */
export interface RouteFilter {
  readonly family?: 4 | 6;
  /** 0: all tables. Default: the main table. */
  readonly table?: number;
  readonly ifindex?: number;
  readonly protocol?: number;
}

/** Adds a route; refuses where there is one with its destination, metric and table. */
export function addRoute(route: RouteSpec): Request {
  return newRoute(route, Flag.CREATE | Flag.EXCL, 'add route');
}

/** Adds a route, in the place of one with its destination, metric and table. */
export function replaceRoute(route: RouteSpec): Request {
  return newRoute(route, Flag.CREATE | Flag.REPLACE, 'replace route');
}

/** Deletes the route that has everything that is said of it. */
export function deleteRoute(route: RouteSpec): Request {
  const { scope = 'nowhere', protocol = 0, type = 'unspec' } = route;
  const payload = encodeRoute(route, scopes[scope], protocol, types.indexOf(type));
  return { type: Rtm.DELROUTE, flags: 0, payload, operation: 'delete route', object: describeRoute(route) };
}

export function listRoutes(filter: RouteFilter = {}): Request {
  const { family, table = RouteTable.MAIN, ifindex, protocol = 0 } = filter;
  const writer = rtmsg({ family: familyNumber(family), prefixLength: 0, table, protocol, scope: 0, type: 0 });
  if (table !== 0) writer.attributeU32(Attribute.TABLE, table);
  if (ifindex !== undefined) writer.attributeU32(Attribute.OIF, ifindex);
  return { type: Rtm.GETROUTE, flags: 0, payload: writer.finish(), operation: 'list', object: 'the routes' };
}

/** Reads RTM_NEWROUTE or RTM_DELROUTE; undefined of other families and of cached entries. */
export function decodeRoute(payload: Payload): Route | undefined {
  const family = payload.u8(0);
  const flags = payload.u32(8);
  if (!isInternet(family) || flags & RTM_F_CLONED) return undefined;
  const attributes = payload.attributes(headerSize);
  const nextHops = decodeNextHops(attributes.get(Attribute.MULTIPATH));
  return defined({
    family: ipVersion(family),
    destination: `${addressText(attributes.get(Attribute.DST)) ?? anyAddress(family)}/${payload.u8(1)}`,
    gateway: addressText(attributes.get(Attribute.GATEWAY)) ?? via(attributes.get(Attribute.VIA)),
    ifindex: attributes.u32(Attribute.OIF),
    source: addressText(attributes.get(Attribute.PREFSRC)),
    scope: scopeName(payload.u8(6)),
    onlink: (flags & RTNH_F_ONLINK) !== 0,
    metric: attributes.u32(Attribute.PRIORITY) ?? 0,
    table: attributes.u32(Attribute.TABLE) ?? payload.u8(4),
    type: types[payload.u8(7)] ?? 'unspec',
    protocol: payload.u8(5),
    nextHops: nextHops.length > 0 ? nextHops : undefined,
  });
}

function newRoute(route: RouteSpec, flags: number, operation: string): Request {
  const { type = 'unicast', gateway, protocol = RouteProtocol.STATIC } = route;
  const hasNextHop = type === 'unicast' && gateway !== undefined;
  const reach = type === 'local' ? 'host' : type === 'unicast' && !hasNextHop ? 'link' : 'universe';
  const payload = encodeRoute(route, scopes[route.scope ?? reach], protocol, types.indexOf(type));
  return { type: Rtm.NEWROUTE, flags, payload, operation, object: describeRoute(route) };
}

function encodeRoute(route: RouteSpec, scope: number, protocol: number, type: number): Uint8Array {
  const { gateway, ifindex, source, metric, table = RouteTable.MAIN, mtu } = route;
  const { family, bytes, prefixLength } = toIpPrefix(route.destination);
  const ofFamily = (text: string) => {
    const ip = toIpAddress(text);
    if (ip.family !== family) throw mixed(route.destination, text);
    return ip.bytes;
  };
  const flags = route.onlink ? RTNH_F_ONLINK : 0;
  const writer = rtmsg({ family, prefixLength, table, protocol, scope, type, flags });
  if (prefixLength > 0) writer.attribute(Attribute.DST, bytes);
  if (table > 255) writer.attributeU32(Attribute.TABLE, table);
  if (gateway !== undefined) writer.attribute(Attribute.GATEWAY, ofFamily(gateway));
  if (ifindex !== undefined) writer.attributeU32(Attribute.OIF, ifindex);
  if (source !== undefined) writer.attribute(Attribute.PREFSRC, ofFamily(source));
  if (metric !== undefined) writer.attributeU32(Attribute.PRIORITY, metric);
  if (mtu !== undefined) writer.nested(Attribute.METRICS, (metrics) => metrics.attributeU32(RTAX_MTU, mtu));
  return writer.finish();
}

interface Header {
  readonly family: number;
  readonly prefixLength: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly type: number;
  readonly flags?: number;
}

/** `struct rtmsg`; tables above 255 are only in the attribute. */
function rtmsg({ family, prefixLength, table, protocol, scope, type, flags = 0 }: Header): MessageWriter {
  return new MessageWriter(96)
    .u8(family)
    .u8(prefixLength)
    .u16(0)
    .u8(table > 255 ? 0 : table)
    .u8(protocol)
    .u8(scope)
    .u8(type)
    .u32(flags);
}

/** An IPv6 gateway of an IPv4 route: the family, then the address. */
function via(payload: Payload | undefined): string | undefined {
  if (payload?.u16() !== AddressFamily.INET6) return undefined;
  return addressText(Payload.of(payload.bytes().subarray(2)));
}

/** `struct rtnexthop`, then its attributes, repeatedly. */
function decodeNextHops(payload: Payload | undefined): NextHop[] {
  if (!payload) return [];
  const hops: NextHop[] = [];
  const bytes = payload.bytes();
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = Payload.of(bytes.subarray(at)).u16();
    if (length < 8 || at + length > bytes.length) break;
    const hop = Payload.of(bytes.subarray(at, at + length));
    const gateway = addressText(hop.attributes(8).get(Attribute.GATEWAY));
    hops.push({ ifindex: hop.s32(4), ...(gateway === undefined ? {} : { gateway }) });
    at += (length + 3) & ~3;
  }
  return hops;
}

function mixed(destination: string, text: string): VetchError {
  const message = `${text} cannot serve the route to ${destination}: their families differ`;
  return new VetchError('INVALID', message, 'give both as IPv4 or both as IPv6');
}

function describeRoute({ destination, gateway, ifindex }: RouteSpec): string {
  const by = gateway === undefined ? '' : ` by ${gateway}`;
  return `${destination}${by}${ifindex === undefined ? '' : ` on device ${ifindex}`}`;
}
