import { createHash } from 'node:crypto';
import { formatMac, parseAddress } from '../model/address.ts';
import type { ClusterEndpoint, Node } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { BackendHealth } from '../service/health.ts';
import { ServiceTables } from './desired/service-tables.ts';
import type { ServiceMemory } from './desired/services.ts';
import type { HostAddress, HostFacts, HostLink } from './facts.ts';

/** Examples that unit tests begin from. */
export function aNetwork(change: Partial<Network> = {}): Network {
  return {
    id: 'a'.repeat(64),
    number: 1,
    name: 'shop',
    driver: 'bridge',
    owner: 'vetch',
    subnets: [
      { cidr: '10.88.0.0/16', gateway: '10.88.0.1', aux: {} },
      { cidr: 'fd00:88::/64', gateway: 'fd00:88::1', aux: {} },
    ],
    mtu: 1500,
    internal: false,
    options: {},
    labels: {},
    created: '2026-01-31T12:00:00Z',
    ...change,
  };
}

export function anEndpoint(change: Partial<Endpoint> = {}): Endpoint {
  return {
    id: 'b'.repeat(64),
    number: 1,
    name: 'web',
    network: 'a'.repeat(64),
    owner: 'vetch',
    ifname: 'eth0',
    hostIfname: 'vt00000000001',
    mac: '02:42:0a:58:00:02',
    addresses: ['10.88.0.2/16', 'fd00:88::2/64'],
    netns: '/var/run/netns/web',
    labels: {},
    options: {},
    ports: [],
    created: '2026-01-31T12:00:00Z',
    ...change,
  };
}

export function anIntent(
  networks: readonly Network[],
  endpoints: readonly Endpoint[],
  deny: readonly string[] = [],
): Intent {
  return {
    networks: new Map(networks.map((network) => [network.id, network])),
    endpoints: new Map(endpoints.map((endpoint) => [endpoint.id, endpoint])),
    deny: new Set(deny),
    services: new Map(),
    policies: new Map(),
    namespaces: new Map(),
    nodes: new Map(),
    remotes: new Map(),
  };
}

export function aLink(ifindex: number, name: string, change: Partial<HostLink> = {}): HostLink {
  return { ifindex, name, mac: '02:00:00:00:00:01', mtu: 1500, up: true, loopback: false, ethernet: true, ...change };
}

export function anAddress(ifindex: number, text: string, change: Partial<HostAddress> = {}): HostAddress {
  const address = parseAddress(text);
  return { ifindex, address, prefixLength: text.includes(':') ? 64 : 24, global: true, secondary: false, ...change };
}

export function hostFacts(change: Partial<HostFacts> = {}): HostFacts {
  return {
    netnsCookie: 7n,
    links: [
      aLink(1, 'lo', { loopback: true }),
      aLink(2, 'eth0'),
      aLink(3, 'vetch0', { kind: 'veth' }),
      aLink(10, 'vt00000000001', { kind: 'veth' }),
    ],
    addresses: [
      anAddress(1, '127.0.0.1', { global: false }),
      anAddress(2, '192.0.2.10'),
      anAddress(2, 'fe80::1', { global: false }),
    ],
    defaultRoutes: [],
    localPorts: { first: 32768, last: 60999 },
    ipsec: false,
    uplink: 'auto',
    ...change,
  };
}

/** No tables yet, and every backend healthy. */
export function noServices(): ServiceMemory {
  const failed = (error: unknown) => {
    throw error;
  };
  return { tables: new ServiceTables(), health: new BackendHealth(), failed };
}

/** Another host. */
export function aNode(change: Partial<Node> = {}): Node {
  return {
    ...{ name: 'alpha', version: '1.0.0', addresses: [], tunnel: '192.0.2.2', started: '2026-01-31T12:00:00Z' },
    ...change,
  };
}

/** An endpoint on it. */
export function aRemote(change: Partial<ClusterEndpoint> = {}): ClusterEndpoint {
  const { name = 'far' } = change;
  const id = createHash('sha256').update(name).digest('hex');
  const digit = (Number.parseInt(id.slice(0, 4), 16) % 250) + 3;
  return {
    ...{ id, name, node: 'alpha', network: 'a'.repeat(64), owner: 'vetch' },
    mac: formatMac(Buffer.from(`02420a58${id.slice(0, 4)}`, 'hex')),
    addresses: [`10.88.1.${digit}/16`, `fd00:88::1:${digit}/64`],
    labels: {},
    ports: [],
    ...change,
  };
}
