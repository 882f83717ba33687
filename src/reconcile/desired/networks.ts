import { NetworkFlag } from '../../maps/generated/abi.ts';
import { parseAddress, parsePrefix } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { entryOf, type MapEntry } from '../entry.ts';

const none = new Uint8Array(16);

/** A network's element of the array `networks`. @param members how many slots of `members` are taken */
export function networkEntry(network: Network, members: number): MapEntry {
  const gateway = (v6: boolean) => network.subnets.find((subnet) => subnet.gateway.includes(':') === v6)?.gateway;
  const [gateway4, gateway6] = [gateway(false), gateway(true)];
  return entryOf('networks', network.number, {
    flags: networkFlags(network),
    mtu: network.mtu,
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

/** What Docker's and our own options mean to the datapath. Their spelling was checked when the network was made. */
export function networkFlags(network: Network): number {
  const option = (name: string) => network.options[name];
  const bridge = 'com.docker.network.bridge';
  let flags: number = NetworkFlag.PRESENT;
  if (network.internal) flags |= NetworkFlag.INTERNAL;
  if (isFalse(option(`${bridge}.enable_icc`))) flags |= NetworkFlag.ICC_OFF;
  if (option('vetch.forwarding') === 'stack') flags |= NetworkFlag.STACK;
  const families = [
    { mode: option(`${bridge}.gateway_mode_ipv4`), masquerade: NetworkFlag.MASQUERADE4, routed: NetworkFlag.ROUTED4 },
    { mode: option(`${bridge}.gateway_mode_ipv6`), masquerade: NetworkFlag.MASQUERADE6, routed: NetworkFlag.ROUTED6 },
  ];
  for (const { mode, masquerade, routed } of families) {
    if (network.internal || mode === 'isolated') continue;
    if (mode === 'routed' || mode === 'nat-unprotected') flags |= routed;
    if (mode !== 'routed' && !isFalse(option(`${bridge}.enable_ip_masquerade`))) flags |= masquerade;
  }
  return flags;
}

/** As Go's strconv.ParseBool reads it, which Docker uses; what is absent or empty is the default. */
function isFalse(text: string | undefined): boolean {
  return text !== undefined && ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text);
}
