import { EndpointFlag } from '../../maps/generated/abi.ts';
import { parseAddress } from '../../model/address.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import { unpackReach } from '../remotes/numbers.ts';
import type { PlacedNode, PlacedRemote } from '../remotes/remote-table.ts';

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

/** A node's element of `nodes`; undefined: nobody has the number. */
export function nodeEntry(number: number, node: Pick<PlacedNode, 'tunnel'> | undefined): MapEntry {
  return entryOf('nodes', number, { addr: node ? parseAddress(node.tunnel) : none });
}

/** Which node a tunnel is of. @param address where it ends */
export function nodeNumberEntry(number: number, address: Uint8Array): MapEntry {
  return entryOf('nodeNumbers', address, number);
}

/** Where this host's own tunnels begin. */
export function ownNodeEntry(address: Uint8Array | undefined): MapEntry {
  return entryOf('nodes', 0, { addr: address ?? none });
}
