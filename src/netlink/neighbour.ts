import { formatMac, parseMac } from '../model/address.ts';
import { defined } from './defined.ts';
import { addressText, familyNumber, ipVersion, isInternet, toIpAddress } from './ip.ts';
import { describeLink } from './link-requests.ts';
import { Flag, type Request, Rtm } from './message.ts';
import { MessageWriter } from './message-writer.ts';
import type { Payload } from './payload.ts';

/** Of `struct ndmsg`. */
const headerSize = 12;

/** `NDA_*` of linux/neighbour.h. */
const Attribute = { DST: 1, LLADDR: 2, IFINDEX: 8 } as const;

/** `NUD_*`: how much the kernel believes an entry. */
const states = {
  incomplete: 1,
  reachable: 2,
  stale: 4,
  delay: 8,
  probe: 0x10,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const;
export type NeighbourState = keyof typeof states | 'none';

/** Who has an address on a link. */
export interface Neighbour {
  readonly ifindex: number;
  readonly family: 4 | 6;
  /** Canonical. */
  readonly address: string;
  /** Absent while nobody has answered. */
  readonly mac?: string;
  readonly state: NeighbourState;
}

export interface NeighbourSpec {
  readonly ifindex: number;
  readonly address: string;
  readonly mac: string;
  /** Default: `permanent`, which is never asked for. */
  readonly state?: Exclude<NeighbourState, 'none'>;
}

export interface NeighbourFilter {
  readonly ifindex?: number;
  readonly family?: 4 | 6;
}

/** Adds an entry or changes the one of that address. */
export function setNeighbour({ ifindex, address, mac, state = 'permanent' }: NeighbourSpec): Request {
  const { family, bytes } = toIpAddress(address);
  const writer = header(family, ifindex, states[state]);
  writer.attribute(Attribute.DST, bytes).attribute(Attribute.LLADDR, parseMac(mac));
  return {
    type: Rtm.NEWNEIGH,
    flags: Flag.CREATE | Flag.REPLACE,
    payload: writer.finish(),
    operation: 'set neighbour',
    object: `${address} on ${describeLink(ifindex)}`,
  };
}

export function deleteNeighbour(ifindex: number, address: string): Request {
  const { family, bytes } = toIpAddress(address);
  const payload = header(family, ifindex, 0).attribute(Attribute.DST, bytes).finish();
  const object = `${address} on ${describeLink(ifindex)}`;
  return { type: Rtm.DELNEIGH, flags: 0, payload, operation: 'delete neighbour', object };
}

export function listNeighbours({ ifindex, family }: NeighbourFilter = {}): Request {
  const writer = header(familyNumber(family), 0, 0);
  if (ifindex !== undefined) writer.attributeU32(Attribute.IFINDEX, ifindex);
  return { type: Rtm.GETNEIGH, flags: 0, payload: writer.finish(), operation: 'list', object: 'the neighbours' };
}

/** Reads RTM_NEWNEIGH or RTM_DELNEIGH; undefined of other families, such as a bridge's. */
export function decodeNeighbour(payload: Payload): Neighbour | undefined {
  const family = payload.u8(0);
  const attributes = payload.attributes(headerSize);
  const address = addressText(attributes.get(Attribute.DST));
  if (!isInternet(family) || address === undefined) return undefined;
  const mac = attributes.bytes(Attribute.LLADDR);
  return defined({
    ifindex: payload.s32(4),
    family: ipVersion(family),
    address,
    mac: mac?.length === 6 ? formatMac(mac) : undefined,
    state: stateNames.get(payload.u16(8)) ?? ('none' as const),
  });
}

const stateNames = new Map<number, NeighbourState>(
  Object.entries(states).map(([name, bit]) => [bit, name as NeighbourState]),
);

/** `struct ndmsg` */
function header(family: number, ifindex: number, state: number): MessageWriter {
  return new MessageWriter(64).u8(family).u8(0).u16(0).u32(ifindex).u16(state).u16(0);
}
