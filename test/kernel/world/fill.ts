import {
  type Config,
  EndpointFlag,
  InterfaceFlag,
  mapDefinitions,
  NetworkFlag,
  PublishFlag,
} from '../../../src/maps/generated/abi.ts';
import type { Maps } from '../../../src/maps/open.ts';
import { linkLocalFromMac, parseAddress, parseMac, parsePrefix } from '../../../src/model/address.ts';
import { DenyHeads } from '../../../src/reconcile/desired/deny-heads.ts';
import { denyEntry } from '../../../src/reconcile/desired/deny-list.ts';
import { nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import type { MapEntry } from '../../../src/reconcile/entry.ts';
import { Protocol } from '../packet/ip.ts';
import {
  denied,
  endpoints,
  hostDevice,
  lanDeviceOf,
  memberNode,
  networks,
  overlay,
  overlayMtu,
  type PlannedEndpoint,
  type PlannedRemote,
  published,
  publishedDirect,
  remotes,
  uplink,
} from './plan.ts';

const none = new Uint8Array(16);

export interface Indexes {
  /** ifindex of a device. */
  of(device: string): number;
}

/** What a host is configured with, wherever its devices are. */
export const plannedConfig = {
  generation: 1,
  flags: 0,
  hostMac: parseMac(hostDevice.mac),
  snatPortMin: 61_000,
  snatPortMax: 61_099,
  tunnelPort: 4789,
  flowQuota: 1000,
  snatQuota: 500,
  floodRate: 100,
  timeoutNew: 30,
  timeoutUdp: 180,
  timeoutIcmp: 30,
  timeoutEstablished: 86_400,
  timeoutClosing: 120,
  timeoutClosed: 10,
  timeoutRefused: 300,
  quotaWindow: 60,
  shaperIfindex: 0,
} as const satisfies Partial<Config>;

/** Writes the plan into the maps of the control plane, as the control plane writes them. */
export function fill(maps: Maps, indexes: Indexes, hostNetns: bigint): void {
  maps.config.set(0, {
    ...plannedConfig,
    hostNetns,
    hostIfindex: indexes.of(hostDevice.device),
    overlayIfindex: indexes.of(overlay.device),
  });
  for (const [name, network] of Object.entries(networks)) {
    const members = [
      ...Object.values(endpoints).flatMap((one) => (one.network === name ? indexes.of(one.device) : [])),
      ...new Set(Object.values(remotes).flatMap((one) => (one.network === name ? memberNode + one.node : []))),
    ];
    maps.networks.set(network.number, {
      flags: network.flags.reduce((flags, flag) => flags | NetworkFlag[flag], NetworkFlag.PRESENT as number),
      mtu: flagsOf(network).includes('OVERLAY') ? overlayMtu : 1500,
      members: members.length,
      gateway4: flagsOf(network).includes('LAN') ? none : parseAddress(network.gateway4),
      gateway6: flagsOf(network).includes('LAN') ? none : parseAddress(network.gateway6),
      broadcast4: parseAddress(network.broadcast4),
      masquerade4: none,
      masquerade6: none,
    });
    for (const [slot, member] of members.entries()) {
      maps.members.set({ network: network.number, slot }, member);
    }
    // The LAN's router is its gateway, and the LAN has addresses of its subnets.
    if (flagsOf(network).includes('LAN')) continue;
    for (const gateway of [network.gateway4, network.gateway6]) {
      maps.hostAddrs.set(parseAddress(gateway), { ifindex: indexes.of(hostDevice.device), network: network.number });
    }
    for (const cidr of [network.subnet4, network.subnet6]) {
      const { address, prefixLength } = parsePrefix(cidr);
      maps.subnets.set({ prefixlen: prefixLength, addr: address }, { network: network.number, flags: 0 });
    }
  }
  for (const endpoint of Object.values(endpoints)) fillEndpoint(maps, indexes, endpoint);
  for (const [number, address] of overlay.tunnels.entries()) {
    maps.nodes.set(number, nodeValue(parseAddress(address)));
    if (number > 0) maps.nodeNumbers.set(parseAddress(address), number);
  }
  for (const remote of Object.values(remotes)) fillRemote(maps, remote);
  for (const address of [uplink.ip4, uplink.ip6]) {
    maps.hostAddrs.set(parseAddress(address), { ifindex: indexes.of(uplink.device), network: 0 });
  }
  maps.uplinks.set(indexes.of(uplink.device), {
    flags: 0,
    mtu: 1500,
    masquerade4: parseAddress(uplink.ip4),
    masquerade6: parseAddress(uplink.ip6),
  });
  fillPublished(maps);
  deny(maps, denied);
}

/** Puts these prefixes, and no others, on the deny list. */
export function deny(maps: Maps, cidrs: readonly string[]): void {
  const raw = ({ key, value }: MapEntry) => [key, value] as const;
  maps.denyUnlisted.setManyRaw(new DenyHeads(cidrs).entries().map(raw));
  maps.denyList.deleteManyRaw([...maps.denyList.rawEntries()].map(([key]) => key));
  maps.denyList.setManyRaw(cidrs.map(denyEntry).map(raw));
}

function flagsOf({ flags }: { readonly flags: readonly string[] }): readonly string[] {
  return flags;
}

function fillEndpoint(maps: Maps, indexes: Indexes, endpoint: PlannedEndpoint): void {
  const network = networks[endpoint.network].number;
  const mac = parseMac(endpoint.mac);
  const [v4, v6, linkLocal] = [parseAddress(endpoint.ip4), parseAddress(endpoint.ip6), linkLocalFromMac(mac)];
  const common = { number: endpoint.number, network, mac, flags: EndpointFlag.NONE };
  const ifindex = indexes.of(endpoint.device);
  const standing = { identity: endpoint.identity, flags: 0 };
  for (const index of [2 * endpoint.number, 2 * endpoint.number + 1]) {
    maps.identities.set(index, { standing: [standing, standing] });
  }
  for (const index of [2 * endpoint.number, 2 * endpoint.number + 1]) {
    maps.rates.set(index, { bits: 0n, burst: 0n, queue: 0n });
    maps.rateClocks.set(index, { paidUntil: 0n });
  }
  const lan = lanDeviceOf(endpoint);
  const lanIfindex = lan === undefined ? 0 : indexes.of(lan);
  const networkFlags = flagsOf(networks[endpoint.network]);
  const joined = networkFlags.includes('LAN');
  const flags =
    (joined ? InterfaceFlag.LAN : InterfaceFlag.NONE) | (networkFlags.includes('VEPA') ? InterfaceFlag.VEPA : 0);
  if (lanIfindex !== 0) maps.lanDevices.set(lanIfindex, ifindex);
  const sender = { ...common, flags, ifindex, v4, v6, linkLocal, lanIfindex };
  maps.interfaces.set(ifindex, sender);
  // Some have no slot, as those whose slot is another's.
  const slot = ifindex % mapDefinitions.interfaceSlots.maxEntries;
  if (endpoint.number !== endpoints.q.number) maps.interfaceSlots.set(slot, sender);
  maps.endpoints.set({ network, addr: linkLocal }, { ...common, ifindex });
  for (const addr of [v4, v6]) {
    maps.endpoints.set({ network, addr }, { ...common, ifindex });
    if (!joined || !networkFlags.includes('HOST_OFF')) {
      maps.endpoints.set({ network: 0, addr }, { ...common, ifindex });
    }
  }
}

/** An endpoint on another host: who it is, and which node it is behind. */
export function fillRemote(maps: Pick<Maps, 'endpoints' | 'identities'>, remote: PlannedRemote): void {
  const network = networks[remote.network].number;
  const mac = parseMac(remote.mac);
  const standing = { identity: remote.identity, flags: 0 };
  for (const index of [2 * remote.number, 2 * remote.number + 1]) {
    maps.identities.set(index, { standing: [standing, standing] });
  }
  const value = { number: remote.number, ifindex: remote.node, network, mac, flags: EndpointFlag.REMOTE };
  for (const addr of [parseAddress(remote.ip4), parseAddress(remote.ip6), linkLocalFromMac(mac)]) {
    maps.endpoints.set({ network, addr }, value);
  }
}

function fillPublished(maps: Maps): void {
  const numbers = { tcp: Protocol.TCP, udp: Protocol.UDP, sctp: Protocol.SCTP };
  for (const { endpoint: target, protocol: name, port } of publishedDirect) {
    const { ip4, ip6, network } = endpoints[target];
    for (const addr of [parseAddress(ip4), parseAddress(ip6)]) {
      const value = { addr, network: networks[network].number, port, flags: PublishFlag.DIRECT };
      maps.published.set({ addr, port, protocol: numbers[name] }, value);
    }
  }
  for (const { host, port, protocol: name, endpoint: target, to } of published) {
    const protocol = numbers[name];
    const endpoint = endpoints[target];
    for (const family of [4, 6] as const) {
      const value = {
        addr: parseAddress(family === 4 ? endpoint.ip4 : endpoint.ip6),
        network: networks[endpoint.network].number,
        port: to,
        flags: 0,
      };
      const wildcard = family === 4 ? parseAddress('0.0.0.0') : none;
      if (host === 'any') {
        maps.published.set({ addr: wildcard, port, protocol }, value);
        maps.publishedLo.set({ addr: wildcard, port, protocol }, value);
      } else {
        maps.publishedLo.set({ addr: parseAddress(family === 4 ? '127.0.0.1' : '::1'), port, protocol }, value);
      }
      maps.boundPorts.set({ port, protocol, family }, { publishes: 1 });
    }
  }
}
