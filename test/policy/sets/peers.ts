import type { NetworkPolicyPeer } from '../model/documents.ts';
import { all, denyIngress, np, ns, once, only, pod, type Way, ways, where } from './build.ts';

type Named = readonly [name: string, ...peers: NetworkPolicyPeer[]];

/** Who a rule is about, in both directions alike. */
const peers: readonly Named[] = [
  ['the pods of its own namespace', { podSelector: all }],
  ['all pods', { podSelector: all, namespaceSelector: all }],
  ['all pods of all namespaces', { namespaceSelector: all }],
  ['all pods of another namespace', { namespaceSelector: ns('y') }],
  ['all pods of a namespace by a label', { namespaceSelector: { matchLabels: { ns: 'z' } } }],
  ['a pod of its own namespace', { podSelector: pod('c') }],
  ['a pod of another namespace', { namespaceSelector: ns('y'), podSelector: pod('c') }],
  ['a pod of every namespace', { namespaceSelector: all, podSelector: pod('c') }],
  ['a pod or a namespace', { podSelector: pod('b') }, { namespaceSelector: ns('y') }],
  ['two pods by In', { podSelector: where('pod', 'In', 'a', 'b') }],
  ['pods by NotIn', { podSelector: where('pod', 'NotIn', 'a', 'b') }],
  ['pods by Exists', { podSelector: where('pod', 'Exists') }],
  ['pods by DoesNotExist', { podSelector: where('absent', 'DoesNotExist') }],
  ['pods by Exists of a label that none has', { podSelector: where('absent', 'Exists') }],
  ['namespaces by In', { namespaceSelector: where('ns', 'In', 'x', 'y') }],
  ['namespaces by NotIn', { namespaceSelector: where('ns', 'NotIn', 'x', 'y') }],
  ['namespaces by NotIn of a label that none has', { namespaceSelector: where('absent', 'NotIn', 'x') }],
  ['namespaces by Exists', { namespaceSelector: where('ns', 'Exists') }],
  ['namespaces by DoesNotExist', { namespaceSelector: where('ns', 'DoesNotExist') }],
  [
    'pods of namespaces, both by expressions',
    { namespaceSelector: where('ns', 'NotIn', 'x'), podSelector: where('pod', 'In', 'b', 'c') },
  ],
  ['nobody', { namespaceSelector: { matchLabels: { 'no-such': 'label' } } }],
];

function ofPeers(way: Way) {
  const does = way === 'ingress' ? 'receives from' : 'sends to';
  return peers.map(([name, ...some]) =>
    once(`x/a ${does} ${name}`, only(way, 'x', 'peers', pod('a'), { peers: some })),
  );
}

export const peerSets = [
  ...ways.flatMap(ofPeers),
  once(
    'two rules of a policy add up',
    only(
      'ingress',
      'x',
      'two',
      all,
      { peers: [{ podSelector: pod('b') }] },
      { peers: [{ namespaceSelector: ns('z') }] },
    ),
  ),
  once(
    'peers of one rule and ports of another do not mix',
    only(
      'ingress',
      'x',
      'pairs',
      all,
      { peers: [{ namespaceSelector: ns('y') }], ports: [{ port: 80 }] },
      { peers: [{ namespaceSelector: ns('z') }], ports: [{ port: 81 }] },
    ),
  ),
  once(
    'a namespace is reached by pods of the same name in other namespaces only where the namespace selector says so',
    denyIngress('x'),
    only('ingress', 'x', 'same-name', pod('a'), { peers: [{ podSelector: pod('a') }] }),
    only('ingress', 'y', 'same-name', pod('a'), { peers: [{ podSelector: pod('a'), namespaceSelector: all }] }),
  ),
  once(
    'a stranger of the same namespace and labels on another network stays out',
    only('ingress', 'x', 'same', all, { peers: [{ podSelector: pod('a') }] }),
    only('egress', 'x', 'out', all, { peers: [{ namespaceSelector: all }] }),
  ),
  once('what the sender may is stopped by the receiver', only('egress', 'x', 'allow', all, {}), denyIngress('y')),
  once(
    'what the receiver allows is stopped by the sender',
    only('ingress', 'y', 'allow', all, {}),
    np('x', 'closed', { podSelector: all, policyTypes: ['Egress'] }),
  ),
  once(
    'a flow needs the consent of both ends: each names the other',
    only('egress', 'x', 'to-y-a', pod('a'), { peers: [{ namespaceSelector: ns('y'), podSelector: pod('a') }] }),
    only('ingress', 'y', 'a-from-x-a', pod('a'), { peers: [{ namespaceSelector: ns('x'), podSelector: pod('a') }] }),
    only('ingress', 'y', 'b-from-x-a', pod('b'), { peers: [{ namespaceSelector: ns('x'), podSelector: pod('a') }] }),
  ),
  once(
    'answers come back to who may send and not receive',
    denyIngress('x'),
    only('egress', 'x', 'to-y', all, { peers: [{ namespaceSelector: ns('y') }] }),
  ),
  once('two pods that may receive only from each other still send', ...pairOnly()),
];

function pairOnly() {
  return [
    only('ingress', 'x', 'a', pod('a'), { peers: [{ podSelector: pod('b') }] }),
    only('ingress', 'x', 'b', pod('b'), { peers: [{ podSelector: pod('a') }] }),
  ];
}
