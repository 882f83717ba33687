import { EndpointFlag } from '../../maps/generated/abi.ts';
import { isIPv4, linkLocalFromMac, parseAddress, parseMac, withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { entryOf, type MapEntry } from '../entry.ts';

const none = new Uint8Array(16);

/**
 * All that the maps `endpoints` and `interfaces` hold of one endpoint: its addresses in its network, their aliases in
 * network 0, where the host finds it, and its link-local address where the network has IPv6.
 *
 * @param ifindex of the host's end of its veth
 */
export function endpointEntries(endpoint: Endpoint, network: Network, ifindex: number): MapEntry[] {
  const mac = parseMac(endpoint.mac);
  const { number, identity } = endpoint;
  const value = { number, ifindex, network: network.number, identity, mac, flags: EndpointFlag.NONE };
  const addresses = endpoint.addresses.map((address) => parseAddress(withoutLength(address)));
  const linkLocal = hasIPv6(network) ? linkLocalFromMac(mac) : undefined;
  const sender = {
    ...{ number, identity, mac, network: network.number, flags: EndpointFlag.NONE },
    v4: addresses.find(isIPv4) ?? none,
    v6: addresses.find((address) => !isIPv4(address)) ?? none,
    linkLocal: linkLocal ?? none,
  };
  return [
    entryOf('interfaces', ifindex, sender),
    ...addresses.map((addr) => entryOf('endpoints', { network: network.number, addr }, value)),
    ...(linkLocal ? [entryOf('endpoints', { network: network.number, addr: linkLocal }, value)] : []),
    ...addresses.map((addr) => entryOf('endpoints', { network: 0, addr }, value)),
  ];
}

function hasIPv6(network: Network): boolean {
  return network.subnets.some((subnet) => subnet.cidr.includes(':'));
}
