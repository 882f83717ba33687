import type { NetworkFlag } from '../../../src/maps/generated/abi.ts';

/** The world that the packet tables and the benchmarks play in: who is where, under which address. */

export interface PlannedNetwork {
  /** Index of the map `networks`. */
  readonly number: number;
  readonly flags: readonly Exclude<keyof typeof NetworkFlag, 'PRESENT'>[];
  readonly subnet4: string;
  readonly subnet6: string;
  readonly gateway4: string;
  readonly gateway6: string;
  readonly broadcast4: string;
}

/** The second byte of a network's IPv4 subnet. Those of networks that span hosts follow the others'. */
const octetOf = (number: number) => (number < 2048 ? 87 + number : 110 + number - 2048);

function network(number: number, ...flags: PlannedNetwork['flags']): PlannedNetwork {
  const [v4, v6] = [`10.${octetOf(number)}`, `fd00:${octetOf(number)}`];
  return {
    number,
    flags,
    subnet4: `${v4}.0.0/16`,
    subnet6: `${v6}::/64`,
    gateway4: `${v4}.0.1`,
    gateway6: `${v6}::1`,
    broadcast4: `${v4}.255.255`,
  };
}

export const networks = {
  blue: network(1, 'MASQUERADE4', 'MASQUERADE6'),
  red: network(2, 'MASQUERADE4', 'MASQUERADE6'),
  internal: network(3, 'INTERNAL'),
  quiet: network(4, 'ICC_OFF', 'MASQUERADE4', 'MASQUERADE6'),
  routed: network(5, 'ROUTED4', 'ROUTED6'),
  stack: network(6, 'STACK'),
  open: network(7, 'UNPROTECTED4', 'UNPROTECTED6', 'MASQUERADE4', 'MASQUERADE6'),
  lan: network(8, 'LAN', 'HOST_OFF'),
  mirror: network(9, 'LAN', 'VEPA', 'HOST_OFF'),
  homely: network(10, 'LAN'),
  wide: network(2048, 'OVERLAY', 'MASQUERADE4', 'MASQUERADE6'),
} as const satisfies Record<string, PlannedNetwork>;

export type NetworkName = keyof typeof networks;

export interface PlannedEndpoint {
  readonly network: NetworkName;
  /** Index of the map `quotas`. */
  readonly number: number;
  readonly identity: number;
  readonly device: string;
  readonly mac: string;
  readonly ip4: string;
  readonly ip6: string;
}

function endpoint(name: NetworkName, number: number, host: number): PlannedEndpoint {
  const { number: network } = networks[name];
  return {
    network: name,
    number,
    identity: 256 + number,
    device: `vt${number}`,
    mac: `02:42:0a:00:00:${number.toString(16).padStart(2, '0')}`,
    ip4: `10.${octetOf(network)}.0.${host}`,
    ip6: `fd00:${octetOf(network)}::${host}`,
  };
}

export const endpoints = {
  a: endpoint('blue', 1, 2),
  b: endpoint('blue', 2, 3),
  c: endpoint('red', 3, 2),
  i: endpoint('internal', 4, 2),
  j: endpoint('internal', 5, 3),
  q: endpoint('quiet', 6, 2),
  s: endpoint('quiet', 7, 3),
  r: endpoint('routed', 8, 2),
  t: endpoint('stack', 9, 2),
  o: endpoint('open', 10, 2),
  l: endpoint('lan', 11, 2),
  m: endpoint('lan', 12, 3),
  v: endpoint('mirror', 13, 2),
  w: endpoint('mirror', 14, 3),
  h: endpoint('homely', 15, 2),
  /** Its parent is gone. */
  n: endpoint('lan', 16, 4),
  x: endpoint('wide', 17, 2),
  y: endpoint('wide', 18, 3),
} as const satisfies Record<string, PlannedEndpoint>;

/** The device of an endpoint on its network's parent; undefined: has none. */
export function lanDeviceOf({ network, device, number }: PlannedEndpoint): string | undefined {
  const flags: readonly string[] = networks[network].flags;
  return flags.includes('LAN') && number !== endpoints.n.number ? device.replace('vt', 'vm') : undefined;
}

/** A machine of the LAN. */
export const lanMachine = { mac: '02:42:0a:00:03:01', ip4: '10.95.0.99', ip6: 'fd00:95::99' } as const;

export type EndpointName = keyof typeof endpoints;

/** The overlay's device, and where the tunnels of this host and of the others end, by their numbers. */
export const overlay = {
  device: 'vetchx0',
  tunnels: ['2001:db8:f::a', '2001:db8:f::21', '2001:db8:f::22'],
  /** Over IPv4 programs make tunnels themselves. */
  tunnels4: ['198.51.100.10', '198.51.100.21', '198.51.100.22'],
} as const;

/** MEMBER_NODE of bpf/abi/endpoint.h. */
export const memberNode = 0x8000_0000;

/** Bytes that a network which spans hosts takes, over a network that takes 1500. */
export const overlayMtu = 1450;

export interface PlannedRemote extends Omit<PlannedEndpoint, 'device'> {
  readonly node: number;
}

function remote(name: NetworkName, node: number, host: number): PlannedRemote {
  const { device: _, ...rest } = endpoint(name, host, host);
  return { ...rest, node, number: 16_384 + host };
}

/** Endpoints on other hosts. */
export const remotes = {
  z: remote('wide', 1, 20),
  u: remote('wide', 2, 21),
} as const satisfies Record<string, PlannedRemote>;

export type RemoteName = keyof typeof remotes;

/** The host device: what the host's processes send to containers leaves here. */
export const hostDevice = { device: 'vetch0', mac: '02:42:0a:00:01:00' } as const;

/** The host's way out, its addresses there, and the machine that is the next hop. */
export const uplink = {
  device: 'uplink0',
  mac: '02:42:0a:00:02:00',
  ip4: '198.51.100.10',
  ip6: '2001:db8:f::a',
  gatewayMac: '02:42:0a:00:02:01',
  gateway4: '198.51.100.1',
  gateway6: '2001:db8:f::1',
} as const;

/** Somebody on the internet. */
export const world = { ip4: '203.0.113.9', ip6: '2001:db8:3::9' } as const;

/** Ports of the host that lead to endpoints. */
export const published = [
  { host: 'any', port: 8080, protocol: 'tcp', endpoint: 'a', to: 80 },
  { host: 'any', port: 8053, protocol: 'udp', endpoint: 'a', to: 53 },
  { host: 'any', port: 8009, protocol: 'sctp', endpoint: 'a', to: 9 },
  { host: 'any', port: 8081, protocol: 'tcp', endpoint: 'c', to: 81 },
  { host: 'loopback', port: 8099, protocol: 'tcp', endpoint: 'a', to: 99 },
] as const;

/** Ports at the own addresses of endpoints of a routed network. */
export const publishedDirect = [
  { endpoint: 'r', port: 80, protocol: 'tcp' },
  { endpoint: 'r', port: 53, protocol: 'udp' },
  { endpoint: 'r', port: 9, protocol: 'sctp' },
] as const;

/** Prefixes that may not even knock. */
export const denied = ['192.0.2.0/25', '2001:db8:bad::/48'] as const;
