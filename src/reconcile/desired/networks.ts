import { NetworkFlag } from '../../maps/generated/abi.ts';
import { isIPv4, parseAddress, parsePrefix } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { entryOf, type MapEntry } from '../entry.ts';

const none = new Uint8Array(16);

/** A network's element of the array `networks`. @param members how many slots of `members` are taken */
export function networkEntry(network: Network, members: number): MapEntry {
  const { flags, mtu, gateway4, gateway6, masquerade4, masquerade6 } = planOf(network);
  return entryOf('networks', network.number, {
    flags: flags.reduce((sum, name) => sum | NetworkFlag[name], 0),
    mtu,
    members,
    gateway4: addressOr(gateway4),
    gateway6: addressOr(gateway6),
    broadcast4: broadcastOf(network),
    masquerade4: addressOr(masquerade4),
    masquerade6: addressOr(masquerade6),
  });
}

function addressOr(address: string | undefined): Uint8Array {
  return address === undefined ? none : parseAddress(address);
}

/** What an array holds where no network has the number. */
export function absentNetworkEntry(number: number): MapEntry {
  return entryOf('networks', number, {
    flags: 0,
    mtu: 0,
    members: 0,
    gateway4: none,
    gateway6: none,
    broadcast4: none,
    masquerade4: none,
    masquerade6: none,
  });
}

/** Whose an address is, one entry a subnet: none of one that others have addresses of, too. */
export function subnetEntries(network: Network): MapEntry[] {
  if (!planOf(network).ownsSubnets) return [];
  return network.subnets.map(({ cidr }) => {
    const { address, prefixLength } = parsePrefix(cidr);
    return entryOf('subnets', { prefixlen: prefixLength, addr: address }, { network: network.number, flags: 0 });
  });
}

/** The last address of the IPv4 subnet; one of two addresses or one (RFC 3021) has no broadcast address. */
function broadcastOf(network: Network): Uint8Array {
  for (const { cidr } of network.subnets) {
    const { address, prefixLength } = parsePrefix(cidr);
    if (!isIPv4(address)) continue;
    if (prefixLength > 126) return none;
    return address.map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, prefixLength - 8 * i))));
  }
  return none;
}
