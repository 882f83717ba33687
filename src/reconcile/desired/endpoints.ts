import { EndpointFlag, mapDefinitions } from '../../maps/generated/abi.ts';
import { isIPv4, linkLocalFromMac, parseAddress, parseMac, withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { entryOf, type MapEntry } from '../entry.ts';

const none = new Uint8Array(16);
const interfaceSlots = mapDefinitions.interfaceSlots.maxEntries;

/**
 * All that the maps `endpoints`, `interfaces`, `interface_slots` and `endpoint_addrs` hold of one endpoint: its addresses in its
 * network, their aliases in network 0, where the host finds it, and its link-local address where it has an IPv6 one.
 *
 * @param ifindex of the host's end of its veth
 */
export function endpointEntries(endpoint: Endpoint, network: Network, ifindex: number): MapEntry[] {
  const mac = parseMac(endpoint.mac);
  const { number } = endpoint;
  const value = { number, ifindex, network: network.number, mac, flags: EndpointFlag.NONE };
  const addresses = endpoint.addresses.map((address) => parseAddress(withoutLength(address)));
  // Its device has IPv6 off unless it has an address of it.
  const linkLocal = addresses.every(isIPv4) ? undefined : linkLocalFromMac(mac);
  const sender = {
    ...{ ifindex, number, mac, network: network.number, flags: EndpointFlag.NONE },
    v4: addresses.find(isIPv4) ?? none,
    v6: addresses.find((address) => !isIPv4(address)) ?? none,
    linkLocal: linkLocal ?? none,
  };
  return [
    entryOf('interfaces', ifindex, sender),
    // Of those that share a slot the programs find the others in `interfaces`.
    entryOf('interfaceSlots', ifindex % interfaceSlots, sender),
    entryOf('endpointAddrs', number, { v4: sender.v4, v6: sender.v6, network: network.number }),
    ...addresses.map((addr) => entryOf('endpoints', { network: network.number, addr }, value)),
    ...(linkLocal ? [entryOf('endpoints', { network: network.number, addr: linkLocal }, value)] : []),
    ...addresses.map((addr) => entryOf('endpoints', { network: 0, addr }, value)),
  ];
}
