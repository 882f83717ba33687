import { createHash } from 'node:crypto';
import type { ClusterEndpoint, HeldAddress } from '../../src/model/cluster.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Network } from '../../src/model/network.ts';
import type { PolicyDocument } from '../../src/model/policy.ts';
import type { Service } from '../../src/model/service.ts';

/** A network that the number makes: the same one each time. */
export function sampleNetwork(number: number): Network {
  return {
    id: sampleId(`network ${number}`),
    number,
    name: `network-${number}`,
    driver: 'bridge',
    owner: 'vetch',
    subnets: [{ cidr: `10.88.${number % 256}.0/24`, gateway: `10.88.${number % 256}.1`, aux: { dns: '10.88.0.9' } }],
    mtu: 1500,
    internal: false,
    options: { 'vetch.forwarding': 'redirect' },
    labels: { 'with space': 'and "quotes", ünïcode' },
    created: '2026-01-31T12:00:00.000Z',
  };
}

export function sampleEndpoint(number: number, network: Network, more: Partial<Endpoint> = {}): Endpoint {
  const id = sampleId(`endpoint ${number}`);
  return {
    id,
    number,
    name: `web-${number}`,
    network: network.id,
    owner: 'docker',
    ifname: 'eth0',
    hostIfname: `vt${id.slice(0, 11)}`,
    mac: '02:42:0a:58:00:02',
    addresses: [`10.88.0.${(number % 250) + 2}/24`, 'fd00:88::2/64'],
    netns: `/var/run/netns/web-${number}`,
    labels: { app: 'web' },
    options: {},
    ports: [
      { protocol: 'tcp', hostAddress: '::', hostPort: 8080, port: 80 },
      { protocol: 'udp', hostAddress: '0.0.0.0', hostPort: 0, port: 53 },
    ],
    created: '2026-01-31T12:00:00.000Z',
    ...more,
  };
}

export function sampleService(number: number, network: Network): Service {
  return {
    id: sampleId(`service ${number}`),
    number,
    name: `shop-${number}`,
    network: network.id,
    vip: '10.88.0.200',
    ports: [{ protocol: 'tcp', port: 80, targetPort: 8080 }],
    select: { app: 'web' },
    algorithm: 'maglev',
    affinity: 0,
    health: { path: '/healthz' },
    created: '2026-01-31T12:00:00.000Z',
  };
}

function sampleId(seed: string): string {
  return createHash('sha256').update(seed).digest('hex');
}

/** One of each kind. */
export const samplePolicies: readonly [PolicyDocument, PolicyDocument] = [
  {
    kind: 'NetworkPolicy',
    namespace: 'shop',
    name: 'web',
    number: 1,
    labels: {},
    annotations: { 'vetch.io/enforcement': 'audit' },
    spec: { podSelector: {}, ingress: [{ from: [], ports: [{ port: 'http' }] }] },
  },
  {
    kind: 'ClusterNetworkPolicy',
    namespace: '',
    name: 'web',
    number: 65535,
    labels: { app: 'web' },
    annotations: {},
    spec: {
      tier: 'Admin',
      priority: 0,
      subject: { namespaces: {} },
      egress: [{ action: 'Deny', to: [{ networks: ['10.0.0.0/8'] }] }],
    },
  },
];

/** The document that the number makes. */
export function samplePolicy(number: number): PolicyDocument {
  return { ...samplePolicies[0], name: `web-${number}`, number };
}

/** An address of a `sampleNetwork` that node `a` holds for an endpoint. */
export function sampleHeld(network: Network, host: number): HeldAddress {
  const address = `${network.subnets[0]?.cidr.split('.').slice(0, 3).join('.')}.${host}`;
  return { network: network.id, address, node: 'a', endpoint: sampleId(`endpoint ${host}`) };
}

/** An endpoint as the others are told of it. */
export function sampleClusterEndpoint(node: string, number: number): Omit<ClusterEndpoint, 'node'> {
  const { id, name, network, owner, mac, addresses, labels, ports } = sampleEndpoint(number, sampleNetwork(1));
  return { id: sampleId(`${node} ${id}`), name, network, owner, mac, addresses, labels, ports };
}
