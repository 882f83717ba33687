import { EndpointFlag, endpointCodec, endpointKeyCodec, type Node as NodeValue } from '../../maps/generated/abi.ts';
import { parseAddress } from '../../model/address.ts';
import { entryOf, type MapEntry, type RawEntry } from '../entry.ts';
import { isReachedAt, unpackReach } from '../remotes/numbers.ts';
import type { NodeCrypt, PlacedNode, PlacedRemote } from '../remotes/remote-table.ts';

const none = new Uint8Array(16);
/** MEMBER_NODE of bpf/abi/endpoint.h. */
const memberNode = 0x8000_0000;

/** What stands in a slot of `members` for all that a node has of a network. */
export function memberOfNode(node: number): number {
  return memberNode + node;
}

/** All that the map `endpoints` holds of an endpoint on another host. In network 0 it has no alias: no process of the host reaches it. */
export function remoteEntries({ number, network, node, reach }: PlacedRemote): MapEntry[] {
  const { mac, addresses } = unpackReach(reach);
  const value = { number, ifindex: node, network: network.number, mac, flags: EndpointFlag.REMOTE };
  return addresses.map((addr) => entryOf('endpoints', { network: network.number, addr }, value));
}

const [key, value] = [new Uint8Array(endpointKeyCodec.size), new Uint8Array(endpointCodec.size)];

/** Likewise, one after the other in the same bytes: whoever takes one copies it. */
export function* passingRemoteEntries({ number, network, node, reach }: PlacedRemote): Generator<RawEntry> {
  const { mac, addresses } = unpackReach(reach);
  endpointCodec.encode({ number, ifindex: node, network: network.number, mac, flags: EndpointFlag.REMOTE }, value);
  for (const addr of addresses) {
    endpointKeyCodec.encode({ network: network.number, addr }, key);
    yield { key, value };
  }
}

/** Whether an entry of the map `endpoints` is one of `remoteEntries`, to the last byte. */
export function isEntryOf({ number, network, node, reach }: PlacedRemote, key: Uint8Array, value: Uint8Array): boolean {
  const found = endpointCodec.decode(value);
  if (found.number !== number || found.ifindex !== node || found.flags !== EndpointFlag.REMOTE) return false;
  const { network: within, addr } = endpointKeyCodec.decode(key);
  if (found.network !== network.number || within !== network.number) return false;
  return isReachedAt(reach, found.mac, addr);
}

/** Another host, and how packets to it are encrypted. */
export interface KeyedNode extends Pick<PlacedNode, 'tunnel'> {
  /** Absent: they are not, and none is accepted. */
  readonly crypt?: NodeCrypt;
}

/** A node's element of `nodes`; undefined: nobody has the number. */
export function nodeEntry(number: number, node: KeyedNode | undefined): MapEntry {
  return entryOf('nodes', number, node ? nodeValueOf(node) : nodeValue());
}

/** Which node a tunnel is of: one of these addresses is its other end, or is made of the other end's key. */
export function nodeNumberEntries(number: number, { addr, cryptTo, cryptAlso }: NodeValue): MapEntry[] {
  const ends = [addr, cryptTo, cryptAlso].filter((end) => end.some((byte) => byte !== 0));
  return ends.map((end) => entryOf('nodeNumbers', end, number));
}

/** NODE_ADDR_SHARED of bpf/abi/endpoint.h. */
const severalNodes = 0xffff_ffff;
/** What the map has room for, of each. */
const addressesOfNode = 16;

/**
 * Whose address a client asks: this host's, 0, or another's. What several say that they have is nobody's.
 *
 * @param own as this host tells the others of them
 */
export function nodeAddrEntries(
  own: readonly string[],
  nodes: Iterable<Pick<PlacedNode, 'number' | 'addresses'>>,
): MapEntry[] {
  const owners = new Map<string, number>();
  for (const { number, addresses } of [{ number: 0, addresses: own }, ...nodes]) {
    for (const address of new Set(addresses.slice(0, addressesOfNode))) {
      owners.set(address, owners.has(address) ? severalNodes : number);
    }
  }
  return Array.from(owners, ([address, number]) => entryOf('nodeAddrs', parseAddress(address), number));
}

export function nodeValueOf({ tunnel, crypt }: KeyedNode): NodeValue {
  return nodeValue(parseAddress(tunnel), crypt);
}

/** Where this host's own tunnels begin. */
export function ownNodeEntry(address: Uint8Array | undefined): MapEntry {
  return entryOf('nodes', 0, nodeValue(address));
}

/** @param crypt what it lacks is zero: nothing is sent encrypted, or accepted so */
export function nodeValue(addr: Uint8Array = none, crypt: NodeCrypt = {}): NodeValue {
  const { to = none, from = none, also = none, ifindex = 0 } = crypt;
  return { addr, cryptTo: to, cryptFrom: from, cryptAlso: also, cryptIfindex: ifindex };
}
