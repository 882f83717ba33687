import { EndpointFlag, EndpointWire, InterfaceFlag, mapDefinitions } from '../../maps/generated/abi.ts';
import { isIPv4, linkLocalFromMac, parseAddress, parseMac, withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { isAccelerated } from '../../network/accelerate.ts';
import type { NetworkPlan } from '../../network/drivers/contract.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { ratesOf } from '../../network/rates.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import { limitFlags, rateEntries } from './rates.ts';

const none = new Uint8Array(16);
const interfaceSlots = mapDefinitions.interfaceSlots.maxEntries;

/**
 * All that the maps `endpoints`, `interfaces`, `interface_slots`, `endpoint_addrs`, `rates` and `accelerated` hold of one endpoint: its
 * addresses in its network, their aliases in network 0, where the host finds it if it does, its link-local address where it
 * has an IPv6 one, and its limits.
 *
 * @param ifindex of the host's end of its veth
 * @param lanIfindex of its device on its network's parent; 0: has none
 */
export function endpointEntries(endpoint: Endpoint, network: Network, ifindex: number, lanIfindex = 0): MapEntry[] {
  const { lan, flags: networkFlags } = planOf(network);
  const reachedByHost = !networkFlags.includes('HOST_OFF') && (lan !== undefined || planOf(network).ownsSubnets);
  const mac = parseMac(endpoint.mac);
  const { number } = endpoint;
  const rates = ratesOf(endpoint, network);
  const value = { number, ifindex, network: network.number, mac, flags: EndpointFlag.NONE };
  const addresses = endpoint.addresses.map((address) => parseAddress(withoutLength(address)));
  // Its device has IPv6 off unless it has an address of it.
  const linkLocal = addresses.every(isIPv4) ? undefined : linkLocalFromMac(mac);
  const sender = {
    ...{ ifindex, number, mac, network: network.number, lanIfindex },
    flags: lanFlags(planOf(network)) | limitFlags(rates),
    v4: addresses.find(isIPv4) ?? none,
    v6: addresses.find((address) => !isIPv4(address)) ?? none,
    linkLocal: linkLocal ?? none,
  };
  // How what comes in from the LAN finds it.
  const arrivals = (): MapEntry[] => {
    if (lan?.mode !== 'shared') return [entryOf('lanDevices', lanIfindex, ifindex)];
    const all = linkLocal ? [...addresses, linkLocal] : addresses;
    return all.map((addr) => entryOf('endpoints', { network: EndpointWire.LAN + lanIfindex, addr }, value));
  };
  return [
    ...rateEntries(number, rates),
    entryOf('accelerated', number, isAccelerated(endpoint, network) ? 1 : 0),
    entryOf('interfaces', ifindex, sender),
    // Of those that share a slot the programs find the others in `interfaces`.
    entryOf('interfaceSlots', ifindex % interfaceSlots, sender),
    entryOf('endpointAddrs', number, { v4: sender.v4, v6: sender.v6, network: network.number }),
    ...addresses.map((addr) => entryOf('endpoints', { network: network.number, addr }, value)),
    ...(linkLocal ? [entryOf('endpoints', { network: network.number, addr: linkLocal }, value)] : []),
    // Elsewhere an address may be another endpoint's, too, on another LAN.
    ...(reachedByHost
      ? addresses.map((addr) => entryOf('endpoints', { network: EndpointWire.HOST, addr }, value))
      : []),
    ...(lanIfindex === 0 ? [] : arrivals()),
  ];
}

function lanFlags({ lan, flags }: NetworkPlan): number {
  if (!lan) return InterfaceFlag.NONE;
  const vepa = flags.includes('VEPA') ? InterfaceFlag.VEPA : 0;
  return InterfaceFlag.LAN | vepa | (lan.mode === 'shared' ? InterfaceFlag.SHARED : 0);
}
