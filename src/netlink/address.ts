import { formatAddress } from '../model/address.ts';
import { addressOf, familyNumber, ipVersion, isInternet, toIpAddress, toIpPrefix } from './ip.ts';
import { describeLink } from './link-requests.ts';
import { Flag, type Request, Rtm } from './message.ts';
import { MessageWriter } from './message-writer.ts';
import type { Payload } from './payload.ts';
import { type Scope, scopeName, scopes } from './scope.ts';

/** Of `struct ifaddrmsg`. */
const headerSize = 8;

/** `IFA_*` of linux/if_addr.h. */
const Attribute = { ADDRESS: 1, LOCAL: 2, LABEL: 3, BROADCAST: 4, FLAGS: 8, RT_PRIORITY: 9 } as const;

/** `IFA_F_*`. Of IPv4 the first means secondary, of IPv6 temporary. */
export const AddressFlag = {
  SECONDARY: 1,
  NODAD: 2,
  OPTIMISTIC: 4,
  DADFAILED: 8,
  DEPRECATED: 0x20,
  TENTATIVE: 0x40,
  PERMANENT: 0x80,
  NOPREFIXROUTE: 0x200,
} as const;

/** An address on a device. */
export interface InterfaceAddress {
  readonly ifindex: number;
  readonly family: 4 | 6;
  /** 16 bytes, v4-mapped. */
  readonly address: Uint8Array;
  /** As written: 0..32 or 0..128. */
  readonly prefixLength: number;
  /** Canonical, host bits kept: `10.88.0.2/16`. */
  readonly cidr: string;
  /** The other end's address, on a point-to-point device. */
  readonly peer?: string;
  readonly scope: Scope;
  /** `IFA_F_*`. */
  readonly flags: number;
  /** Not one to send from: secondary, temporary, deprecated, tentative, or refused by duplicate address detection. */
  readonly secondary: boolean;
}

export interface AddressOptions {
  /** IPv6 only: usable at once, without asking whether somebody else has it. Default: false. */
  readonly noDad?: boolean;
  /** Without the route to its prefix that the kernel adds. Default: false. */
  readonly noPrefixRoute?: boolean;
  /** IPv4 only. Absent: none, as with `ip address add`. */
  readonly broadcast?: string;
  /** Default: `universe`; IPv6 derives it from the address. */
  readonly scope?: Scope;
  /** Changes the one that is there instead of refusing. Default: false. */
  readonly replace?: boolean;
}

export interface AddressFilter {
  readonly ifindex?: number;
  readonly family?: 4 | 6;
}

/** Gives a device an address, `10.88.0.2/16`. */
export function addAddress(ifindex: number, cidr: string, options: AddressOptions = {}): Request {
  const { noDad = false, noPrefixRoute = false, broadcast, scope = 'universe', replace = false } = options;
  const { prefixLength, family, bytes } = toIpPrefix(cidr);
  const flags = (noDad ? AddressFlag.NODAD : 0) | (noPrefixRoute ? AddressFlag.NOPREFIXROUTE : 0);
  const writer = header(family, prefixLength, scopes[scope], ifindex, flags & 0xff);
  writer.attribute(Attribute.LOCAL, bytes).attribute(Attribute.ADDRESS, bytes);
  if (flags > 0xff) writer.attributeU32(Attribute.FLAGS, flags);
  if (broadcast !== undefined) writer.attribute(Attribute.BROADCAST, toIpAddress(broadcast).bytes);
  return {
    type: Rtm.NEWADDR,
    flags: Flag.CREATE | (replace ? Flag.REPLACE : Flag.EXCL),
    payload: writer.finish(),
    operation: 'add address',
    object: `${cidr} to ${describeLink(ifindex)}`,
  };
}

export function deleteAddress(ifindex: number, cidr: string): Request {
  const { prefixLength, family, bytes } = toIpPrefix(cidr);
  const writer = header(family, prefixLength, 0, ifindex);
  writer.attribute(Attribute.LOCAL, bytes).attribute(Attribute.ADDRESS, bytes);
  return {
    type: Rtm.DELADDR,
    flags: 0,
    payload: writer.finish(),
    operation: 'delete address',
    object: `${cidr} from ${describeLink(ifindex)}`,
  };
}

export function listAddresses({ ifindex = 0, family }: AddressFilter = {}): Request {
  const payload = header(familyNumber(family), 0, 0, ifindex).finish();
  return { type: Rtm.GETADDR, flags: 0, payload, operation: 'list', object: 'the addresses' };
}

/** Reads RTM_NEWADDR or RTM_DELADDR; undefined of other families. */
export function decodeAddress(payload: Payload): InterfaceAddress | undefined {
  const family = payload.u8(0);
  if (!isInternet(family)) return undefined;
  const attributes = payload.attributes(headerSize);
  // On a point-to-point device ADDRESS is the other end's; IPv6 leaves out LOCAL where there is no other end.
  const local = attributes.get(Attribute.LOCAL);
  const other = attributes.get(Attribute.ADDRESS);
  const own = local ?? other;
  if (!own) return undefined;
  const address = addressOf(own);
  const peer = local && other ? formatAddress(addressOf(other)) : undefined;
  const prefixLength = payload.u8(1);
  const flags = attributes.u32(Attribute.FLAGS) ?? payload.u8(2);
  const text = formatAddress(address);
  return {
    ifindex: payload.u32(4),
    family: ipVersion(family),
    address,
    prefixLength,
    cidr: `${text}/${prefixLength}`,
    ...(peer === undefined || peer === text ? {} : { peer }),
    scope: scopeName(payload.u8(3)),
    flags,
    secondary: (flags & notToSendFrom) !== 0,
  };
}

const notToSendFrom = AddressFlag.SECONDARY | AddressFlag.DADFAILED | AddressFlag.DEPRECATED | AddressFlag.TENTATIVE;

/** `struct ifaddrmsg`; flags above 255 are only in the attribute. */
function header(family: number, prefixLength: number, scope: number, ifindex: number, flags = 0): MessageWriter {
  return new MessageWriter(64).u8(family).u8(prefixLength).u8(flags).u8(scope).u32(ifindex);
}
