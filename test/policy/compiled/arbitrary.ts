import * as fc from 'fast-check';
import type {
  ClusterNetworkPolicy,
  ClusterPeer,
  ClusterProtocol,
  ClusterRule,
  LabelSelector,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  PolicyDocument,
  Requirement,
} from '../model/documents.ts';
import type { Endpoint, Outsider, Party, Question } from '../model/situation.ts';
import type { State } from '../steps.ts';

// Random documents and endpoints that collide: few labels, few ports, nested blocks.

const names = ['x', 'y', 'z'] as const;
const keys = ['pod', 'role'] as const;
const values = ['a', 'b'] as const;

/** Every block, with those that lie inside it; all the endpoints are in 10.0.0.0/29 and fd00::/125. */
const blocks: Readonly<Record<string, readonly string[]>> = {
  '0.0.0.0/0': ['10.0.0.0/8', '10.0.0.0/29', '10.0.0.4/30', '10.0.0.2/32', '192.0.2.1/32', '192.0.2.0/24'],
  '10.0.0.0/8': ['10.0.0.0/29', '10.0.0.4/30', '10.0.0.6/31', '10.0.0.2/32', '10.128.0.0/9'],
  '10.0.0.0/29': ['10.0.0.0/30', '10.0.0.4/30', '10.0.0.6/31', '10.0.0.2/32'],
  '10.0.0.4/30': ['10.0.0.6/31', '10.0.0.5/32'],
  '10.0.0.6/31': ['10.0.0.6/32'],
  '10.0.0.2/32': [],
  '192.0.2.0/24': ['192.0.2.1/32', '192.0.2.128/25'],
  '192.0.2.1/32': [],
  '::/0': ['fd00::/16', 'fd00::/125', '2001:db8::/32'],
  'fd00::/125': ['fd00::4/126', 'fd00::2/128'],
  'fd00::4/126': ['fd00::6/127'],
  '2001:db8::1/128': [],
};

const cidr = fc.constantFrom(...Object.keys(blocks));
const ipBlock = cidr.chain((chosen) => {
  const inside = blocks[chosen] ?? [];
  if (inside.length === 0) return fc.constant({ cidr: chosen });
  return fc.oneof(
    fc.constant({ cidr: chosen }),
    fc
      .uniqueArray(fc.constantFrom(...inside), { minLength: 1, maxLength: 2 })
      .map((except) => ({ cidr: chosen, except })),
  );
});

function labelsOf(some: readonly string[]) {
  return fc.dictionary(fc.constantFrom(...some), fc.constantFrom(...values), { maxKeys: 2 });
}

function selectorOf(some: readonly string[], more: readonly string[] = values): fc.Arbitrary<LabelSelector> {
  const requirement: fc.Arbitrary<Requirement> = fc.oneof(
    fc.record({
      key: fc.constantFrom(...some),
      operator: fc.constantFrom('In' as const, 'NotIn' as const),
      values: fc.uniqueArray(fc.constantFrom(...more), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ key: fc.constantFrom(...some), operator: fc.constantFrom('Exists' as const, 'DoesNotExist' as const) }),
  );
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 3,
      arbitrary: fc.record({
        matchLabels: fc.dictionary(fc.constantFrom(...some), fc.constantFrom(...more), { maxKeys: 1 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ matchExpressions: fc.array(requirement, { minLength: 1, maxLength: 2 }) }) },
  );
}

const podSelector = selectorOf(keys);
const namespaceSelector = fc.oneof(selectorOf(['level', 'team']), selectorOf(['kubernetes.io/metadata.name'], names));
const nodeSelector = fc.oneof(fc.constant({}), selectorOf(['kubernetes.io/hostname'], ['h1', 'h2']));

const portName = fc.constantFrom('web', 'dns', 'none');
const number = fc.constantFrom(79, 80, 81, 82);
const range = fc.constantFrom([80, 81], [1, 80], [81, 65535], [79, 82], [1, 65535]);

const networkPolicyPort: fc.Arbitrary<NetworkPolicyPort> = fc
  .record({
    protocol: fc.option(fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const), { nil: undefined }),
    port: fc.oneof(
      fc.constant({}),
      number.map((port) => ({ port })),
      portName.map((port) => ({ port })),
      range.map(([port = 1, endPort = 1]) => ({ port, endPort })),
    ),
  })
  .map(({ protocol, port }) => ({ ...(protocol ? { protocol } : {}), ...port }));

const networkPolicyPeer: fc.Arbitrary<NetworkPolicyPeer> = fc.oneof(
  podSelector.map((selector) => ({ podSelector: selector })),
  namespaceSelector.map((selector) => ({ namespaceSelector: selector })),
  fc.record({ podSelector, namespaceSelector }),
  ipBlock.map((block) => ({ ipBlock: block })),
);

const rule = fc.record({
  peers: fc.option(fc.array(networkPolicyPeer, { maxLength: 2 }), { nil: undefined }),
  ports: fc.option(fc.array(networkPolicyPort, { maxLength: 2 }), { nil: undefined }),
});
const rules = fc.option(fc.array(rule, { maxLength: 2 }), { nil: undefined });

const policyTypes: readonly (readonly ('Ingress' | 'Egress')[])[] = [['Ingress'], ['Egress'], ['Ingress', 'Egress']];

const networkPolicySpec: fc.Arbitrary<NetworkPolicy['spec']> = fc
  .record({
    podSelector,
    policyTypes: fc.option(fc.constantFrom(...policyTypes), { nil: undefined }),
    ingress: rules,
    egress: rules,
  })
  .map(({ podSelector: selector, policyTypes: types, ingress, egress }) => ({
    podSelector: selector,
    ...(types ? { policyTypes: types } : {}),
    ...(ingress
      ? {
          ingress: ingress.map(({ peers, ports }) => ({
            ...(peers ? { from: peers } : {}),
            ...(ports ? { ports } : {}),
          })),
        }
      : {}),
    ...(egress
      ? { egress: egress.map(({ peers, ports }) => ({ ...(peers ? { to: peers } : {}), ...(ports ? { ports } : {}) })) }
      : {}),
  }));

const clusterPort = fc.oneof(
  number.map((one) => ({ destinationPort: { number: one } })),
  range.map(([start = 1, end = 2]) => ({ destinationPort: { range: { start, end } } })),
);
const clusterProtocol: fc.Arbitrary<ClusterProtocol> = fc.oneof(
  clusterPort.map((tcp) => ({ tcp })),
  clusterPort.map((udp) => ({ udp })),
  clusterPort.map((sctp) => ({ sctp })),
);
const namedPort: fc.Arbitrary<ClusterProtocol> = portName.map((destinationNamedPort) => ({ destinationNamedPort }));

const namespacedPod = fc.oneof(fc.record({ podSelector }), fc.record({ podSelector, namespaceSelector }));
const podPeer: fc.Arbitrary<ClusterPeer> = fc.oneof(
  namespaceSelector.map((namespaces) => ({ namespaces })),
  namespacedPod.map((pods) => ({ pods })),
);
const otherPeer: fc.Arbitrary<ClusterPeer> = fc.oneof(
  fc.uniqueArray(cidr, { minLength: 1, maxLength: 2 }).map((networks) => ({ networks })),
  nodeSelector.map((nodes) => ({ nodes })),
);

function some<Item>(one: fc.Arbitrary<Item>): fc.Arbitrary<Item[]> {
  return fc.array(one, { minLength: 1, maxLength: 2 });
}

const domainNames = fc.uniqueArray(fc.constantFrom('a.test', '*.a.test', 'b.a.test', 'c.test'), {
  minLength: 1,
  maxLength: 2,
});
const accept = fc.constant('Accept' as const);
/** Names can only be accepted. */
const byName = fc.oneof(
  fc.record({ action: accept, peers: some(domainNames.map((names): ClusterPeer => ({ domainNames: names }))) }),
  fc.record({
    action: accept,
    peers: some(domainNames.map((names): ClusterPeer => ({ domainNames: names }))),
    protocols: some(clusterProtocol),
  }),
);

type Rule = Omit<ClusterRule, 'name'> & { readonly peers: readonly ClusterPeer[] };

/** A named port is of pods alone. */
function clusterRules(peers: fc.Arbitrary<ClusterPeer>, ...more: readonly fc.Arbitrary<Rule>[]) {
  const action = fc.constantFrom('Accept' as const, 'Deny' as const, 'Pass' as const);
  return fc.array(
    fc.oneof<fc.Arbitrary<Rule>[]>(
      ...more,
      fc.record({ action, peers: some(peers) }),
      fc.record({ action, peers: some(peers), protocols: some(clusterProtocol) }),
      fc.record({ action, peers: some(podPeer), protocols: some(fc.oneof(clusterProtocol, namedPort)) }),
    ),
    { maxLength: 3 },
  );
}

const clusterSpec: fc.Arbitrary<ClusterNetworkPolicy['spec']> = fc
  .record({
    tier: fc.constantFrom('Admin' as const, 'Baseline' as const),
    priority: fc.constantFrom(0, 1, 1000),
    subject: podPeer,
    ingress: clusterRules(podPeer),
    egress: clusterRules(fc.oneof(podPeer, otherPeer), byName),
  })
  .map(({ ingress, egress, ...spec }) => ({
    ...spec,
    ingress: ingress.map(({ peers, ...of }) => ({ ...of, from: peers })),
    egress: egress.map(({ peers, ...of }) => ({ ...of, to: peers })),
  }));

const annotations = fc.oneof(
  { weight: 7, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ annotations: { 'vetch.io/enforcement': 'audit' } }) },
);

const document: fc.Arbitrary<PolicyDocument> = fc.oneof(
  fc
    .record({
      namespace: fc.constantFrom(...names),
      name: fc.constantFrom('p', 'q'),
      spec: networkPolicySpec,
      annotations,
    })
    .map(
      ({ namespace, name, spec, annotations: more }): NetworkPolicy => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name, namespace, ...more },
        spec,
      }),
    ),
  fc.record({ name: fc.constantFrom('c', 'd', 'e'), spec: clusterSpec, annotations }).map(
    ({ name, spec, annotations: more }): ClusterNetworkPolicy => ({
      apiVersion: 'policy.networking.k8s.io/v1alpha2',
      kind: 'ClusterNetworkPolicy',
      metadata: { name, ...more },
      spec,
    }),
  ),
);
const documents = fc.uniqueArray(document, {
  maxLength: 5,
  selector: ({ kind, metadata }) => `${kind} ${JSON.stringify({ ...metadata, annotations: undefined })}`,
});

const portLabels = fc.record(
  {
    'vetch.io/port.web': fc.constantFrom('80/tcp', '81/tcp', '80/udp'),
    'vetch.io/port.dns': fc.constantFrom('80/udp', '81/sctp'),
  },
  { requiredKeys: [] },
);

function endpoint(at: number) {
  return fc.record({ namespace: fc.constantFrom(...names), labels: labelsOf(keys), ports: portLabels }).map(
    ({ namespace, labels, ports }): Endpoint => ({
      party: 'endpoint',
      name: `e${at}`,
      network: 'main',
      namespace,
      labels: {
        ...labels,
        ...ports,
        'vetch.io/namespace': namespace,
        'vetch.io/name': `e${at}`,
        'vetch.io/network': 'main',
        'vetch.io/driver': 'bridge',
      },
      addresses: { 4: `10.0.0.${at}`, 6: `fd00::${at}` },
    }),
  );
}
const endpoints = fc
  .integer({ min: 2, max: 6 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, at) => endpoint(at + 1))));

function outsider(party: 'host' | 'world', name: string, address4: string, address6: string): Outsider {
  return { party, name, addresses: { 4: address4, 6: address6 } };
}
const outsiders: readonly Party[] = [
  outsider('host', 'h1', '192.0.2.1', '2001:db8::1'),
  outsider('world', 'near', '192.0.2.200', '2001:db8::200'),
  outsider('world', 'inside', '10.0.0.7', 'fd00::7'),
  outsider('world', 'far', '203.0.113.5', '2600::5'),
];

const answer = fc.record({
  endpoint: fc.constantFrom('e1', 'e2', 'e3'),
  name: fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'c.test', 'd.test'),
  address: fc.constantFrom('192.0.2.200', '2001:db8::200', '10.0.0.7', '203.0.113.5', '2600::5'),
});

/** Somebody's cluster at one moment. */
export const state: fc.Arbitrary<State> = fc
  .record({
    documents,
    namespaces: fc.record({ x: labelsOf(['level', 'team']), y: labelsOf(['level', 'team']) }),
    endpoints,
    answers: fc.array(answer, { maxLength: 4 }),
  })
  .map(({ documents: some, namespaces, endpoints: those, answers }) => ({
    situation: { documents: some, namespaces, answers, node: { 'kubernetes.io/hostname': 'h1' } },
    parties: [...those, ...outsiders],
  }));

const traffic = [
  ['tcp', 80],
  ['tcp', 81],
  ['udp', 80],
  ['sctp', 81],
  ['icmp', 0],
] as const;

/** Every pair in which an endpoint is an end, and no endpoint both ends. */
export function questions({ parties }: State): Question[] {
  return parties.flatMap((from) =>
    parties
      .filter((to) => from !== to && (from.party === 'endpoint' || to.party === 'endpoint'))
      .flatMap((to) =>
        ([4, 6] as const).flatMap((family) =>
          traffic.map(([protocol, port]) => ({ from, to, family, protocol, port })),
        ),
      ),
  );
}
