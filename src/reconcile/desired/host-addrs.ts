import { isIPv4, parseAddress } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { entryOf, keyText, type MapEntry } from '../entry.ts';
import { type HostFacts, linksByName } from '../facts.ts';
import { hostDevice } from './devices.ts';
import { isOurs } from './uplinks.ts';

/** The host's own addresses, and every network's gateways whether or not they are on the device yet. */
export function hostAddrEntries(facts: HostFacts, networks: Iterable<Network>): MapEntry[] {
  const ours = linksByName(facts).get(hostDevice.name)?.ifindex ?? 0;
  const devices = new Set(facts.links.filter(({ name }) => isOurs(name)).map(({ ifindex }) => ifindex));
  const entries = new Map<string, MapEntry>();
  for (const { address, ifindex } of facts.addresses) {
    // On our own devices are gateways, which the networks say, and addresses that the kernel made up.
    if (isLoopback(address) || devices.has(ifindex)) continue;
    entries.set(keyText(address), entryOf('hostAddrs', address, { ifindex, network: 0 }));
  }
  for (const network of networks) {
    for (const gateway of gatewayEntries(network, ours)) entries.set(keyText(gateway.key), gateway);
  }
  return [...entries.values()];
}

/** What one network adds to `host_addrs`. */
export function gatewayEntries(network: Network, hostIfindex: number): MapEntry[] {
  const { gateway4, gateway6 } = planOf(network);
  const gateways = [gateway4, gateway6].filter((gateway) => gateway !== undefined);
  return gateways.map((gateway) =>
    entryOf('hostAddrs', parseAddress(gateway), { ifindex: hostIfindex, network: network.number }),
  );
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: Uint8Array): boolean {
  if (isIPv4(address)) return address[12] === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}
