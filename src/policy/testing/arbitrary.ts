import fc from 'fast-check';
import type {
  ClusterAction,
  ClusterEgressPeer,
  ClusterProtocol,
  ClusterSelection,
  LabelSelector,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  PolicyDocument,
} from '../../model/policy.ts';
import type { LearnedAddress, PolicyEndpoint } from '../identity/policy-endpoint.ts';

/** Few words, so that what is made of them meets. */
export const namespaces = ['x', 'y'];
const cidrs = [
  '0.0.0.0/0',
  '10.0.0.0/8',
  '10.0.0.0/24',
  '10.0.0.2/31',
  '10.0.0.3/32',
  '10.1.0.0/16',
  '::/0',
  'fd00::/64',
  'fd00::2/127',
];
const port = fc.constantFrom(1, 79, 80, 81, 443, 8000, 65535);

const podSelector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.record({ matchLabels: fc.record({ app: fc.constantFrom('a', 'b') }) }),
  fc.record({ matchLabels: fc.record({ role: fc.constantFrom('r', 's') }) }),
  fc.constantFrom<LabelSelector>(
    { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['a'] }] },
    { matchExpressions: [{ key: 'app', operator: 'In', values: ['a', 'c'] }] },
    { matchExpressions: [{ key: 'role', operator: 'DoesNotExist' }] },
    { matchExpressions: [{ key: 'role', operator: 'Exists' }], matchLabels: { app: 'b' } },
    { matchLabels: { 'vetch.io/driver': 'host' } },
    { matchExpressions: [{ key: 'vetch.io/driver', operator: 'NotIn', values: ['overlay'] }] },
  ),
);

const namespaceSelector: fc.Arbitrary<LabelSelector> = fc.constantFrom<LabelSelector>(
  {},
  { matchLabels: { team: 'red' } },
  { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['red'] }] },
  { matchLabels: { 'kubernetes.io/metadata.name': 'x' } },
);

const ipBlock = fc
  .constantFrom(
    { cidr: '0.0.0.0/0', except: ['10.0.0.0/24'] },
    { cidr: '10.0.0.0/8', except: ['10.0.0.2/31', '10.1.0.0/16'] },
    { cidr: '10.0.0.0/24', except: ['10.0.0.3/32'] },
    { cidr: '::/0', except: ['fd00::2/127'] },
    { cidr: 'fd00::/64' },
    { cidr: '10.0.0.2/31' },
  )
  .map((block): NetworkPolicyPeer => ({ ipBlock: block }));

const peer: fc.Arbitrary<NetworkPolicyPeer> = fc.oneof(
  podSelector.map((selector) => ({ podSelector: selector })),
  namespaceSelector.map((selector) => ({ namespaceSelector: selector })),
  fc.record({ podSelector, namespaceSelector }),
  ipBlock,
);

const policyPort: fc.Arbitrary<NetworkPolicyPort> = fc.oneof(
  fc.record({ protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'), port }),
  fc.tuple(port, port).map(([a, b]): NetworkPolicyPort => ({ port: Math.min(a, b), endPort: Math.max(a, b) })),
  fc.record({ protocol: fc.constantFrom('TCP', 'UDP'), port: fc.constantFrom('http', 'dns') }),
  fc.record({ protocol: fc.constantFrom('TCP', 'UDP', 'SCTP') }),
);

const optional = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const few = <Value>(value: fc.Arbitrary<Value>) => optional(fc.array(value, { maxLength: 2 }));
const marks = fc.constantFrom<Record<string, string>>({}, {}, {}, { 'vetch.io/enforcement': 'audit' });

const networkPolicy: fc.Arbitrary<PolicyDocument> = fc.record({
  kind: fc.constant('NetworkPolicy'),
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom('p', 'q'),
  labels: marks,
  annotations: fc.constant({}),
  spec: fc.record({
    podSelector,
    policyTypes: few(fc.constantFrom('Ingress', 'Egress')),
    ingress: few(fc.record({ from: few(peer), ports: few(policyPort) })),
    egress: few(fc.record({ to: few(peer), ports: few(policyPort) })),
  }),
  number: fc.constant(0),
});

const selection: fc.Arbitrary<ClusterSelection> = fc.oneof(
  namespaceSelector.map((selector) => ({ namespaces: selector })),
  fc.record({ pods: fc.record({ namespaceSelector: optional(namespaceSelector), podSelector }) }),
);

const portless: fc.Arbitrary<ClusterEgressPeer> = fc.oneof(
  fc.constantFrom<ClusterEgressPeer>(
    { nodes: {} },
    { nodes: { matchLabels: { 'kubernetes.io/hostname': 'node-1' } } },
    { nodes: { matchLabels: { 'kubernetes.io/hostname': 'node-2' } } },
  ),
  fc.subarray(cidrs, { minLength: 1, maxLength: 3 }).map((networks) => ({ networks })),
  fc
    .subarray(['a.example', '*.example', '*.b.example', 'other.example'], { minLength: 1, maxLength: 2 })
    .map((domainNames) => ({ domainNames })),
);

const numericProtocol: fc.Arbitrary<ClusterProtocol> = fc
  .tuple(
    fc.constantFrom('tcp', 'udp', 'sctp'),
    fc.oneof(
      port.map((number) => ({ number })),
      fc.constantFrom({ range: { start: 80, end: 443 } }, { range: { start: 1, end: 65535 } }),
    ),
  )
  .map(([name, destinationPort]) => ({ [name]: { destinationPort } }));

const anyProtocol = fc.oneof(
  numericProtocol,
  fc.constantFrom('http', 'dns').map((destinationNamedPort): ClusterProtocol => ({ destinationNamedPort })),
);

const action = fc.constantFrom<ClusterAction>('Accept', 'Deny', 'Pass');
const some = <Value>(value: fc.Arbitrary<Value>) => fc.array(value, { minLength: 1, maxLength: 2 });

const clusterPolicy: fc.Arbitrary<PolicyDocument> = fc.record({
  kind: fc.constant('ClusterNetworkPolicy'),
  namespace: fc.constant(''),
  name: fc.constantFrom('a', 'b', 'c'),
  labels: marks,
  annotations: fc.constant({}),
  spec: fc.record({
    tier: fc.constantFrom('Admin', 'Baseline'),
    priority: fc.constantFrom(0, 10),
    subject: selection,
    ingress: few(fc.record({ action, from: some(selection), protocols: optional(some(anyProtocol)) })),
    egress: few(
      fc.oneof(
        fc.record({ action, to: some(selection), protocols: optional(some(anyProtocol)) }),
        fc.record({ action, to: some(fc.oneof(selection, portless)), protocols: optional(some(numericProtocol)) }),
      ),
    ),
  }),
  number: fc.constant(0),
});

/** One number for each name that there can be. */
function numbered(document: PolicyDocument): PolicyDocument {
  const names = ['x/p', 'x/q', 'y/p', 'y/q', '/a', '/b', '/c'];
  return { ...document, number: 1 + names.indexOf(`${document.namespace}/${document.name}`) };
}

/** Any document of few words. */
export const arbitraryDocument: fc.Arbitrary<PolicyDocument> = fc.oneof(networkPolicy, clusterPolicy).map(numbered);

/** Any of six endpoints, with labels, named ports and addresses of few words. */
export const arbitraryEndpoint: fc.Arbitrary<PolicyEndpoint> = fc.record({
  number: fc.integer({ min: 1, max: 6 }),
  name: fc.constantFrom('n', 'm'),
  network: fc.constantFrom(...namespaces),
  driver: fc.constantFrom('bridge', 'bridge', 'bridge', 'host'),
  labels: fc
    .record(
      {
        app: fc.constantFrom('a', 'b'),
        role: fc.constantFrom('r', 's'),
        'vetch.io/port.http': fc.constantFrom('80/tcp', '81/tcp', '80/udp'),
        'vetch.io/port.dns': fc.constantFrom('53/udp', 'nonsense'),
        'vetch.io/namespace': fc.constantFrom(...namespaces),
      },
      { requiredKeys: [] },
    )
    .map((labels): Record<string, string> => ({ ...labels })),
  addresses: fc.constantFrom(
    ['10.0.0.2/24', 'fd00::2/64'],
    ['10.0.0.3/24', 'fd00::3/64'],
    ['10.0.0.4/24'],
    ['10.1.0.2/16', 'fd00::4/64'],
    ['fd01::2/64'],
    ['192.0.2.2/24'],
  ),
});

/** Any of a few addresses that one of six endpoints was told for names of few words. */
export const arbitraryLearned: fc.Arbitrary<LearnedAddress> = fc.record({
  endpoint: fc.integer({ min: 1, max: 6 }),
  address: fc.constantFrom('192.0.2.9', '10.0.0.3', '10.1.0.9', 'fd00::2', '2001:db8::9'),
  names: fc.subarray(['a.example', 'a.b.example', 'other.example', 'elsewhere.test'], { minLength: 1 }),
  expired: fc.boolean(),
});
