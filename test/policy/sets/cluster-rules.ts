import type { ClusterProtocol, ClusterRule } from '../model/documents.ts';
import {
  all,
  cnp,
  denyEgress,
  denyIngress,
  everybody,
  from,
  inNs,
  ns,
  once,
  only,
  pod,
  podsIn,
  sctp,
  tcp,
  to,
  udp,
  where,
} from './build.ts';

const x = { namespaces: ns('x') };

type Named = readonly [name: string, ...protocols: ClusterProtocol[]];

const protocols: readonly Named[] = [
  ['a port of TCP', tcp(80)],
  ['a port of UDP', udp(81)],
  ['a port of SCTP', sctp(80)],
  ['a range of TCP', tcp(80, 81)],
  ['a range of TCP that misses one', tcp(81, 90)],
  ['a range of UDP', udp(1, 80)],
  ['a range of SCTP', sctp(80, 1000)],
  ['every port of every protocol', tcp(1, 65535), udp(1, 65535), sctp(1, 65535)],
  ['several protocols', tcp(80), udp(80), sctp(80)],
  ['a named port', { destinationNamedPort: 'serve-81-udp' }],
  ['a name that means another port to each namespace', { destinationNamedPort: 'web' }],
  ['a named port that nobody has', { destinationNamedPort: 'no-such-port' }],
  ['a named port and a number', { destinationNamedPort: 'serve-80-sctp' }, tcp(81)],
];

function ofProtocols(tier: 'Admin' | 'Baseline', action: ClusterRule['action'], some: readonly Named[]) {
  return some.flatMap(([name, ...those]) => [
    once(
      `${tier} ${action} of ${name} that x receives`,
      cnp(tier, 10, 'ports', { subject: x, ingress: [from(action, [everybody], ...those), ...rest(action)] }),
    ),
    once(
      `${tier} ${action} of ${name} that x sends`,
      cnp(tier, 10, 'ports', { subject: x, egress: [to(action, [everybody], ...those), ...restOut(action)] }),
    ),
  ]);
}
/** What makes an Accept visible: all else is denied. */
const rest = (action: ClusterRule['action']) => (action === 'Deny' ? [] : [from('Deny', [everybody])]);
const restOut = (action: ClusterRule['action']) => (action === 'Deny' ? [] : [to('Deny', [everybody])]);

const anything = { networks: ['0.0.0.0/0', '::/0'] };
const nodes = { nodes: all };

/** Protocols, peers, networks and nodes of cluster policies. */
export const clusterRuleSets = [
  ...ofProtocols('Admin', 'Deny', protocols),
  ...ofProtocols('Admin', 'Accept', protocols.slice(0, 11)),
  ...ofProtocols(
    'Baseline',
    'Deny',
    [protocols[0], protocols[5], protocols[6], protocols[9]].filter((one) => one !== undefined),
  ),
  once(
    'a port is accepted and the rest of the namespace denied',
    cnp('Admin', 15, 'rules', {
      subject: x,
      ingress: [
        from('Accept', [inNs('y')], tcp(80), udp(81)),
        from('Deny', [inNs('y')]),
        from('Pass', [inNs('z')], tcp(80)),
        from('Deny', [inNs('z')], tcp(80, 81)),
      ],
      egress: [
        to('Deny', [inNs('z')], tcp(80), udp(80), sctp(80)),
        to('Accept', [inNs('y')], tcp(81)),
        to('Deny', [inNs('y')]),
      ],
    }),
  ),
  once(
    'peers are pods of namespaces',
    cnp('Admin', 10, 'pods', { subject: x, ingress: [from('Deny', [podsIn('y', pod('a')), podsIn('z', pod('b'))])] }),
  ),
  once(
    'peers without namespace selector are pods of any',
    cnp('Admin', 10, 'pods', { subject: x, ingress: [from('Deny', [{ pods: { podSelector: pod('a') } }])] }),
  ),
  once(
    'peers are namespaces by expression',
    cnp('Admin', 10, 'ns', { subject: x, ingress: [from('Deny', [{ namespaces: where('ns', 'NotIn', 'x', 'y') }])] }),
  ),
  once(
    'peers are everybody but one, by expression',
    cnp('Admin', 10, 'but', {
      subject: x,
      ingress: [from('Deny', [{ pods: { podSelector: where('pod', 'NotIn', 'b') } }])],
    }),
  ),
  once(
    'the same namespace is told from others',
    cnp('Admin', 10, 'same', {
      subject: x,
      ingress: [
        from('Accept', [inNs('x')]),
        from('Deny', [{ namespaces: where('kubernetes.io/metadata.name', 'NotIn', 'x') }]),
      ],
    }),
  ),
  once(
    'a peer is one of several kinds',
    cnp('Admin', 10, 'kinds', {
      subject: x,
      egress: [to('Deny', [podsIn('y', pod('a')), inNs('z'), { networks: ['198.51.100.100/32', '2001:db8:3::/64'] }])],
    }),
  ),
  once(
    'networks of one family leave the other alone',
    cnp('Admin', 10, 'v4', { subject: x, egress: [to('Deny', [{ networks: ['0.0.0.0/0'] }])] }),
  ),
  once(
    'networks of everything are pods, hosts and the world',
    cnp('Admin', 10, 'all', { subject: x, egress: [to('Deny', [anything])] }),
  ),
  once(
    'networks are tried after pods that stand before them',
    cnp('Admin', 10, 'internet', { subject: x, egress: [to('Pass', [everybody]), to('Deny', [anything])] }),
    denyEgress('x', pod('c')),
  ),
  once(
    'a network is accepted inside one that is denied',
    cnp('Admin', 10, 'nested', {
      subject: x,
      egress: [
        to('Accept', [{ networks: ['10.88.2.0/24', 'fd00:88::2:0/112'] }]),
        to('Deny', [{ networks: ['10.88.0.0/16', 'fd00:88::/64'] }]),
      ],
    }),
  ),
  once(
    'a network is denied inside one that is accepted',
    cnp('Admin', 10, 'nested', {
      subject: x,
      egress: [to('Deny', [{ networks: ['10.88.2.1/32', 'fd00:88::2:1/128'] }], tcp(80)), to('Accept', [anything])],
    }),
    denyEgress('x'),
  ),
  once(
    'networks of several rules and policies nest',
    cnp('Admin', 10, 'one', {
      subject: x,
      egress: [
        to('Accept', [{ networks: ['10.88.3.0/25'] }]),
        to('Deny', [{ networks: ['10.88.3.0/24'] }], tcp(1, 80)),
      ],
    }),
    cnp('Admin', 20, 'two', {
      subject: x,
      egress: [to('Deny', [{ networks: ['10.88.0.0/17', '10.88.3.2/31'] }], udp(1, 65535))],
    }),
    cnp('Baseline', 1, 'three', { subject: x, egress: [to('Deny', [{ networks: ['10.88.2.0/23'] }], tcp(81))] }),
  ),
  once('a network of the Baseline gives way to a NetworkPolicy', ...baselineNetwork()),
  once(
    'a wire outside is denied',
    cnp('Admin', 10, 'wire', { egress: [to('Deny', [{ networks: ['203.0.113.0/24', '2001:db8:3::/64'] }], tcp(80))] }),
  ),
  once('nodes are denied to a namespace', cnp('Admin', 10, 'nodes', { subject: x, egress: [to('Deny', [nodes])] })),
  once('nodes are denied on a port', cnp('Admin', 10, 'nodes', { subject: x, egress: [to('Deny', [nodes], tcp(80))] })),
  once(
    'nodes are accepted and everything else denied',
    cnp('Admin', 10, 'nodes', { subject: x, egress: [to('Accept', [nodes]), to('Deny', [anything])] }),
  ),
  once(
    'nodes that no label selects are not denied',
    cnp('Admin', 10, 'nodes', { egress: [to('Deny', [{ nodes: where('kubernetes.io/hostname', 'NotIn', 'h1') }])] }),
  ),
  once('nodes are denied in the Baseline', cnp('Baseline', 10, 'nodes', { subject: x, egress: [to('Deny', [nodes])] })),
  once(
    'nodes that the Baseline denies are open to who has a NetworkPolicy about egress',
    cnp('Baseline', 10, 'nodes', { subject: x, egress: [to('Deny', [nodes])] }),
    denyEgress('x', pod('a')),
  ),
  once(
    'the host by its address is denied as a network',
    cnp('Admin', 10, 'host', {
      subject: x,
      egress: [to('Deny', [{ networks: ['198.51.100.10/32', '2001:db8:f::a/128'] }])],
    }),
  ),
  once(
    'a named port of receivers is denied to one sender',
    cnp('Admin', 10, 'named', {
      subject: { pods: { podSelector: pod('b') } },
      egress: [to('Deny', [everybody], { destinationNamedPort: 'web' })],
    }),
  ),
  once(
    'ping is denied with everything and by no port',
    cnp('Admin', 10, 'ports', {
      subject: x,
      ingress: [from('Deny', [inNs('y')], tcp(1, 65535), udp(1, 65535), sctp(1, 65535)), from('Deny', [inNs('z')])],
    }),
  ),
  once(
    'an accepted port opens no ping where a NetworkPolicy isolates',
    cnp('Admin', 10, 'port', { subject: x, ingress: [from('Accept', [everybody], tcp(80))] }),
    denyIngress('x'),
  ),
  once(
    'who is isolated from all sides sees its own pods alone',
    cnp('Admin', 10, 'isolation', {
      subject: x,
      ingress: [from('Accept', [inNs('x')]), from('Deny', [everybody])],
      egress: [to('Accept', [inNs('x')]), to('Deny', [everybody, anything])],
    }),
  ),
];

function baselineNetwork() {
  return [
    cnp('Baseline', 10, 'net', {
      subject: x,
      egress: [to('Deny', [{ networks: ['10.88.0.0/16', '203.0.113.0/24'] }])],
    }),
    only('egress', 'x', 'allow', pod('a'), { peers: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['203.0.113.0/24'] } }] }),
  ];
}
