import { NetworkFlag } from '../../maps/generated/abi.ts';
import { parseAddress, parsePrefix } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { entryOf, type MapEntry } from '../entry.ts';

const none = new Uint8Array(16);

/** A network's element of the array `networks`. @param members how many slots of `members` are taken */
export function networkEntry(network: Network, members: number): MapEntry {
  const { flags, mtu, gateway4, gateway6 } = driverOf(network).planNetwork(network);
  return entryOf('networks', network.number, {
    flags: flags.reduce((sum, name) => sum | NetworkFlag[name], 0),
    mtu,
    members,
    gateway4: gateway4 === undefined ? none : parseAddress(gateway4),
    gateway6: gateway6 === undefined ? none : parseAddress(gateway6),
  });
}

/** What an array holds where no network has the number. */
export function absentNetworkEntry(number: number): MapEntry {
  return entryOf('networks', number, { flags: 0, mtu: 0, members: 0, gateway4: none, gateway6: none });
}

/** Whose an address is, one entry a subnet. */
export function subnetEntries(network: Network): MapEntry[] {
  return network.subnets.map(({ cidr }) => {
    const { address, prefixLength } = parsePrefix(cidr);
    return entryOf('subnets', { prefixlen: prefixLength, addr: address }, { network: network.number, flags: 0 });
  });
}
