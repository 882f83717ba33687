import { VetchError } from '../api/error.ts';
import { parseMac } from '../model/address.ts';
import { LinkAttribute, LinkFlag, LinkInfo, VxlanInfo } from './link.ts';
import { Flag, type Request, Rtm } from './message.ts';
import { MessageWriter } from './message-writer.ts';
import type { Netns } from './netns.ts';

const VETH_INFO_PEER = 1;
const IFLA_MACVLAN_MODE = 1;
const IFLA_VLAN_ID = 1;
/** Leaves out the counters of protocols and virtual functions, which are longer than the rest of the answer. */
const RTEXT_FILTER_SKIP_STATS = 8;
const maxNameLength = 15;

/** A device by its ifindex or its name; a name spares asking for the index of one that a batch makes. */
export type LinkRef = number | string;

/** One end of a new veth pair. */
export interface VethEnd {
  /** At most 15 bytes. */
  readonly name: string;
  /** Set as the device is made: udev rewrites the MAC of one that has none of its own. Absent: a random one. */
  readonly mac?: string;
  /** Absent: 1500. */
  readonly mtu?: number;
  /** Sends no ARP and no neighbour discovery. Default: false. */
  readonly noarp?: boolean;
  /** Packets that may wait in a qdisc. Absent: 1000. */
  readonly txQueueLength?: number;
  /** Transmit and receive queues. Absent: one a CPU. */
  readonly queues?: number;
  /** Where it is made, so that it is never seen anywhere else and needs no slow move. Absent: the socket's namespace. */
  readonly netns?: Netns;
}

export interface VethPair extends VethEnd {
  /** Default: down. A peer comes up afterwards: while a pair is made it has nobody at its other end. */
  readonly up?: boolean;
  readonly peer: VethEnd;
}

/** A device of a kind that needs nothing but a name: `dummy`, `bridge`, `ifb`. */
export interface SimpleLink extends VethEnd {
  readonly kind: string;
  /** Default: down. */
  readonly up?: boolean;
}

/** `MACVLAN_MODE_*` of linux/if_link.h. */
export const macvlanModes = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;

/** A device of its own MAC on another one. */
export interface MacvlanLink {
  readonly name: string;
  /** Absent: a random one; in mode passthru the parent's, whatever is given. */
  readonly mac?: string;
  /** Ifindex. */
  readonly parent: number;
  readonly mode: keyof typeof macvlanModes;
}

/** The frames of another device that have a VLAN tag. */
export interface VlanLink {
  readonly name: string;
  /** Ifindex. */
  readonly parent: number;
  /** 1 to 4094. */
  readonly id: number;
}

/** A VXLAN device that is told with each packet where its tunnel ends and which network it is of. */
export interface VxlanLink {
  readonly name: string;
  readonly mac: string;
  /** As much of it as the kernel lets be. */
  readonly mtu: number;
  /** UDP port that it sends to and receives at, of all addresses of the host. */
  readonly port: number;
}

/** What to change of a device; what is absent stays. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Renaming needs the device's index; some kinds must be down for it before Linux 6.2. */
  readonly name?: string;
  readonly noarp?: boolean;
  /** Takes every multicast frame. */
  readonly allMulticast?: boolean;
  readonly txQueueLength?: number;
  readonly alias?: string;
  /** A number of the caller's own; all of a group can be deleted at once. */
  readonly group?: number;
  /** Ifindex of a bridge, bond or VRF; 0 leaves it. */
  readonly master?: number;
  /** Moves the device; its addresses are gone, and it is down. Some 16 ms: make it there instead. */
  readonly netns?: Netns;
}

/** Which devices to list. */
export interface LinkFilter {
  /** Ifindex of the bridge, bond or VRF that they belong to. */
  readonly master?: number;
  readonly kind?: string;
}

/** Makes a veth pair. @returns a request */
export function createVeth(pair: VethPair): Request {
  const writer = linkHeader(0, pair);
  linkAttributes(writer, pair);
  writer.nested(LinkAttribute.LINKINFO, (info) => {
    info.attributeText(LinkInfo.KIND, 'veth').nested(LinkInfo.DATA, (data) => {
      data.block(VETH_INFO_PEER, (peer) => {
        ifinfomsg(peer, 0, pair.peer);
        linkAttributes(peer, pair.peer);
      });
    });
  });
  return create(writer, `veth pair ${pair.name} and ${pair.peer.name}`);
}

export function createLink(link: SimpleLink): Request {
  const writer = linkHeader(0, link);
  linkAttributes(writer, link);
  writer.nested(LinkAttribute.LINKINFO, (info) => info.attributeText(LinkInfo.KIND, link.kind));
  return create(writer, `${link.kind} device ${link.name}`);
}

export function createMacvlan({ name: text, mac, parent, mode }: MacvlanLink): Request {
  const writer = linkHeader(0);
  linkAttributes(writer, { name: text, ...(mac && { mac }) });
  writer.attributeU32(LinkAttribute.LINK, parent);
  writer.nested(LinkAttribute.LINKINFO, (info) => {
    info.attributeText(LinkInfo.KIND, 'macvlan').nested(LinkInfo.DATA, (data) => {
      data.attributeU32(IFLA_MACVLAN_MODE, macvlanModes[mode]);
    });
  });
  return create(writer, `macvlan device ${text}`);
}

export function createVlan({ name: text, parent, id }: VlanLink): Request {
  const writer = linkHeader(0);
  linkAttributes(writer, { name: text });
  writer.attributeU32(LinkAttribute.LINK, parent);
  writer.nested(LinkAttribute.LINKINFO, (info) => {
    info.attributeText(LinkInfo.KIND, 'vlan').nested(LinkInfo.DATA, (data) => {
      data.attribute(IFLA_VLAN_ID, Uint8Array.of(id & 0xff, id >> 8));
    });
  });
  return create(writer, `VLAN device ${text}`);
}

/** It learns nothing, sends no ARP, and over IPv6 receives packets without a checksum, too. */
export function createVxlan({ name, mac, mtu, port }: VxlanLink): Request {
  const writer = linkHeader(0, { noarp: true });
  linkAttributes(writer, { name, mac, mtu });
  writer.nested(LinkAttribute.LINKINFO, (info) => {
    info.attributeText(LinkInfo.KIND, 'vxlan').nested(LinkInfo.DATA, (data) => {
      data.attribute(VxlanInfo.COLLECT_METADATA, Uint8Array.of(1)).attribute(VxlanInfo.LEARNING, Uint8Array.of(0));
      data.attribute(VxlanInfo.PORT, Uint8Array.of(port >> 8, port & 0xff));
      data.attribute(VxlanInfo.UDP_ZERO_CSUM6_RX, Uint8Array.of(1));
    });
  });
  return create(writer, `VXLAN device ${name}`);
}

/** Changes a device. */
export function setLink(ref: LinkRef, change: LinkChange): Request {
  const writer = linkHeader(ref, change);
  if (change.name !== undefined && typeof ref === 'number') name(writer, change.name);
  const { mac, mtu, txQueueLength, netns } = change;
  linkAttributes(writer, { ...(mac && { mac }), ...(mtu && { mtu }), ...(netns && { netns }) });
  if (txQueueLength !== undefined) writer.attributeU32(LinkAttribute.TXQLEN, txQueueLength);
  if (change.group !== undefined) writer.attributeU32(LinkAttribute.GROUP, change.group);
  if (change.alias !== undefined) writer.attributeText(LinkAttribute.IFALIAS, change.alias);
  if (change.master !== undefined) writer.attributeU32(LinkAttribute.MASTER, change.master);
  return { type: Rtm.NEWLINK, flags: 0, payload: writer.finish(), operation: 'change', object: describeLink(ref) };
}

/** Deletes a device; of a veth its peer too. */
export function deleteLink(ref: LinkRef): Request {
  const payload = linkHeader(ref).finish();
  return { type: Rtm.DELLINK, flags: 0, payload, operation: 'delete', object: describeLink(ref) };
}

/** Deletes every device of a group together: the kernel waits once for all, not some 15 ms for each. */
export function deleteGroup(group: number): Request {
  const writer = linkHeader(0).attributeU32(LinkAttribute.GROUP, group);
  return {
    type: Rtm.DELLINK,
    flags: 0,
    payload: writer.finish(),
    operation: 'delete',
    object: `device group ${group}`,
  };
}

/** Asks for one device. */
export function getLink(ref: LinkRef): Request {
  const writer = linkHeader(ref);
  writer.attributeU32(LinkAttribute.EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return { type: Rtm.GETLINK, flags: 0, payload: writer.finish(), operation: 'read', object: describeLink(ref) };
}

/** Asks for all devices. */
export function listLinks({ master, kind }: LinkFilter = {}): Request {
  const writer = linkHeader(0);
  writer.attributeU32(LinkAttribute.EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  if (master !== undefined) writer.attributeU32(LinkAttribute.MASTER, master);
  if (kind !== undefined) writer.nested(LinkAttribute.LINKINFO, (info) => info.attributeText(LinkInfo.KIND, kind));
  return { type: Rtm.GETLINK, flags: 0, payload: writer.finish(), operation: 'list', object: 'the devices' };
}

/** `device 7` or `device vetch0`: how messages name it. */
export function describeLink(ref: LinkRef): string {
  return `device ${ref}`;
}

function create(writer: MessageWriter, object: string): Request {
  return { type: Rtm.NEWLINK, flags: Flag.CREATE | Flag.EXCL, payload: writer.finish(), operation: 'create', object };
}

type LinkFlags = Pick<LinkChange, 'up' | 'noarp' | 'allMulticast'>;

function linkHeader(ref: LinkRef, flags: LinkFlags = {}): MessageWriter {
  const writer = new MessageWriter();
  ifinfomsg(writer, typeof ref === 'number' ? ref : 0, flags);
  if (typeof ref === 'string') name(writer, ref);
  return writer;
}

/** `struct ifinfomsg` */
function ifinfomsg(writer: MessageWriter, index: number, flags: LinkFlags): void {
  let [value, change] = [0, 0];
  for (const [wanted, bit] of [
    [flags.up, LinkFlag.UP],
    [flags.noarp, LinkFlag.NOARP],
    [flags.allMulticast, LinkFlag.ALLMULTI],
  ] as const) {
    if (wanted) value |= bit;
    if (wanted !== undefined) change |= bit;
  }
  writer.u32(0).u32(index).u32(value).u32(change);
}

function linkAttributes(writer: MessageWriter, end: Partial<VethEnd>): void {
  const { mac, mtu, txQueueLength, queues, netns } = end;
  if (end.name !== undefined) name(writer, end.name);
  if (mac !== undefined) writer.attribute(LinkAttribute.ADDRESS, parseMac(mac));
  if (mtu !== undefined) writer.attributeU32(LinkAttribute.MTU, mtu);
  if (txQueueLength !== undefined) writer.attributeU32(LinkAttribute.TXQLEN, txQueueLength);
  if (queues !== undefined) {
    writer.attributeU32(LinkAttribute.NUM_TX_QUEUES, queues).attributeU32(LinkAttribute.NUM_RX_QUEUES, queues);
  }
  if (netns !== undefined) writer.attributeU32(LinkAttribute.NET_NS_FD, netns.fd);
}

/** Refused here where it is too long: the kernel would say ERANGE, and of no name in particular. */
function name(writer: MessageWriter, text: string): void {
  if (text.length === 0 || Buffer.byteLength(text) > maxNameLength) {
    throw new VetchError('INVALID', `'${text}' is not a device's name`, `choose one of 1 to ${maxNameLength} bytes`);
  }
  writer.attributeText(LinkAttribute.IFNAME, text);
}
