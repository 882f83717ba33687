import { encoded } from '../../maps/codec.ts';
import { endpointKeyCodec, mapDefinitions } from '../../maps/generated/abi.ts';
import { isIPv4, linkLocalFromMac, parseAddress, parseMac, withoutLength } from '../../model/address.ts';
import type { ClusterEndpoint } from '../../model/cluster.ts';
import type { Network } from '../../model/network.ts';
import { keyText } from '../entry.ts';

/** Of other hosts: 0 is this one. */
export const nodeNumbers = { first: 1, last: mapDefinitions.nodes.maxEntries - 1 } as const;

/** Beyond those of this host's endpoints (MAX_ENDPOINTS of bpf/abi/config.h). */
export const remoteNumbers = {
  first: mapDefinitions.endpointAddrs.maxEntries,
  last: mapDefinitions.identities.maxEntries / 2 - 1,
} as const;

type Addressed = Pick<ClusterEndpoint, 'addresses' | 'mac'>;

const macBytes = 6;
const addressBytes = 16;

/** The MAC, and the addresses, one after the other, a character a byte: an array would take ten times the memory. */
export function packReach(remote: Addressed): string {
  return Buffer.concat([parseMac(remote.mac), ...addressesOf(remote)]).toString('latin1');
}

export function unpackReach(packed: string): { readonly mac: Uint8Array; readonly addresses: Uint8Array[] } {
  const bytes = Buffer.from(packed, 'latin1');
  const addresses: Uint8Array[] = [];
  for (let at = macBytes; at < bytes.length; at += addressBytes) addresses.push(bytes.subarray(at, at + addressBytes));
  return { mac: bytes.subarray(0, macBytes), addresses };
}

/** Of `packReach`: whether it has this MAC, and this address. Nothing is unpacked: a pass asks it of each entry. */
export function isReachedAt(packed: string, mac: Uint8Array, address: Uint8Array): boolean {
  if (!holds(packed, 0, mac)) return false;
  for (let at = macBytes; at < packed.length; at += addressBytes) if (holds(packed, at, address)) return true;
  return false;
}

function holds(packed: string, at: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (packed.charCodeAt(at + i) !== bytes[i]) return false;
  return true;
}

/** Of `packReach`: how many addresses. */
export function reachCount(packed: string): number {
  return (packed.length - macBytes) / addressBytes;
}

/** With the one that every device with IPv6 has made of its MAC. */
function addressesOf({ addresses, mac }: Addressed): Uint8Array[] {
  const own = addresses.map((address) => parseAddress(withoutLength(address)));
  return own.every(isIPv4) ? own : [...own, linkLocalFromMac(parseMac(mac))];
}

/** Keys of the map `endpoints`, as texts. */
export function endpointKeys(remote: Addressed, network: Pick<Network, 'number'>): string[] {
  return addressesOf(remote).map((addr) => keyText(encoded(endpointKeyCodec, { network: network.number, addr })));
}
