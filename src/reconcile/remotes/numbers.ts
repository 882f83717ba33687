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

/** The MAC, and the addresses, one after the other. */
export function packReach(remote: Addressed): Uint8Array {
  return Uint8Array.from([parseMac(remote.mac), ...addressesOf(remote)].flatMap((bytes) => [...bytes]));
}

export function unpackReach(packed: Uint8Array): { readonly mac: Uint8Array; readonly addresses: Uint8Array[] } {
  const addresses: Uint8Array[] = [];
  for (let at = macBytes; at < packed.length; at += addressBytes)
    addresses.push(packed.subarray(at, at + addressBytes));
  return { mac: packed.subarray(0, macBytes), addresses };
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
