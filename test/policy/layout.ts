import type { Endpoint, Labels, Outsider, Party, Situation } from './model/situation.ts';

/**
 * Who is there in every step of every set: x/a to z/c on one network, o/a on another, the host, and two machines
 * beyond it. Each namespace is a /24 and a /112 of the network: x is 10.88.1.0/24 and fd00:88::1:0/112, in which a
 * is .1, b is .2 and c is .3.
 */
export const networks = {
  main: { subnets: ['10.88.0.0/16', 'fd00:88::/64'] },
  other: { subnets: ['10.89.0.0/16', 'fd00:89::/64'] },
} as const;

/** The ports that are served, and what each endpoint calls them: alike, but for `web`. */
const namedPorts: Labels = {
  'vetch.io/port.serve-80-tcp': '80/tcp',
  'vetch.io/port.serve-81-tcp': '81/tcp',
  'vetch.io/port.serve-80-udp': '80/udp',
  'vetch.io/port.serve-81-udp': '81/udp',
  'vetch.io/port.serve-80-sctp': '80/sctp',
};
/** What an endpoint of each namespace calls `web`. */
const web: Labels = { x: '80/tcp', y: '81/tcp', z: '80/udp' };

/** A place on the main network, by namespace and pod. */
export interface Place {
  readonly endpoint: Endpoint;
  /** What it is attached with. */
  readonly labels: Labels;
  /** Where the host publishes its TCP port 80. */
  readonly publishedAt: number;
}

function place(
  network: 'main' | 'other',
  prefix: string,
  namespace: string,
  pod: string,
  at: number,
  host: number,
): Place {
  const octet = network === 'main' ? '88' : '89';
  const labels = {
    'vetch.io/namespace': namespace,
    pod,
    ...namedPorts,
    'vetch.io/port.web': web[namespace] ?? '80/tcp',
  };
  const name = `${prefix}-${pod}`;
  return {
    labels,
    publishedAt: (network === 'main' ? 18000 : 19000) + at * 10 + host,
    endpoint: {
      party: 'endpoint',
      name,
      network,
      namespace,
      labels: { ...labels, 'vetch.io/name': name, 'vetch.io/network': network, 'vetch.io/driver': 'bridge' },
      addresses: { 4: `10.${octet}.${at}.${host}`, 6: `fd00:${octet}::${at}:${host}` },
    },
  };
}

export const places: readonly Place[] = ['x', 'y', 'z'].flatMap((namespace, at) =>
  ['a', 'b', 'c'].map((pod, host) => place('main', namespace, namespace, pod, at + 1, host + 1)),
);
/** In namespace x, too, which opens no path to it. */
export const stranger = place('other', 'o', 'x', 'a', 1, 1);

export const host: Outsider = {
  party: 'host',
  name: 'h1',
  addresses: { 4: '198.51.100.10', 6: '2001:db8:f::a' },
};
/** On the wire of the host, 198.51.100.0/24 and 2001:db8:f::/64. */
export const outside: Outsider = {
  party: 'world',
  name: 'outside',
  addresses: { 4: '198.51.100.100', 6: '2001:db8:f::64' },
};
/** Beyond the host's gateway, 203.0.113.0/24 and 2001:db8:3::/64. */
export const far: Outsider = {
  party: 'world',
  name: 'far',
  addresses: { 4: '203.0.113.100', 6: '2001:db8:3::64' },
};

export const parties: readonly Party[] = [
  ...places.map(({ endpoint }) => endpoint),
  stranger.endpoint,
  host,
  outside,
  far,
];

/** Before the first step of a set. */
export const initially: Situation = {
  documents: [],
  namespaces: { x: { ns: 'x' }, y: { ns: 'y' }, z: { ns: 'z' } },
  node: { 'kubernetes.io/hostname': 'h1' },
};
