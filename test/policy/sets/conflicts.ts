import { all, anywhere, denyEgress, denyIngress, np, ns, once, only, pod, type Rule } from './build.ts';

/** Several policies about the same pods: allowances add up, and nothing takes one back. */
const everyPod: Rule = { peers: [{ namespaceSelector: all }] };
const noPod: Rule = { peers: [{ namespaceSelector: { matchLabels: { 'no-such': 'label' } } }] };
const everyAddress: Rule = { peers: anywhere };
const noAddress: Rule = { peers: [{ ipBlock: { cidr: '0.0.0.0/31' } }] };
const x = pod('b');
const y = pod('c');

export const conflictSets = [
  once('all sent is denied, all received allowed', denyEgress('x', x), only('ingress', 'y', 'allow', y, {})),
  once('all sent is allowed, all received denied', only('egress', 'x', 'allow', x, {}), denyIngress('y', y)),
  once('all sent is denied and allowed', denyEgress('x', x), only('egress', 'x', 'allow', x, {})),
  once('all received is denied and allowed', denyIngress('y', y), only('ingress', 'y', 'allow', y, {})),
  once('all sent is denied, to pods allowed', denyEgress('x', x), only('egress', 'x', 'allow', x, everyPod)),
  once('all sent is denied, to addresses allowed', denyEgress('x', x), only('egress', 'x', 'allow', x, everyAddress)),
  once(
    'sent to no address, to every pod',
    only('egress', 'x', 'address', x, noAddress),
    only('egress', 'x', 'pod', x, everyPod),
  ),
  once(
    'sent to no pod, to every address',
    only('egress', 'x', 'pod', x, noPod),
    only('egress', 'x', 'address', x, everyAddress),
  ),
  once('all received is denied, from pods allowed', denyIngress('x', x), only('ingress', 'x', 'allow', x, everyPod)),
  once(
    'all received is denied, from addresses allowed',
    denyIngress('x', x),
    only('ingress', 'x', 'allow', x, everyAddress),
  ),
  once(
    'received from no address, from every pod',
    only('ingress', 'x', 'address', x, noAddress),
    only('ingress', 'x', 'pod', x, everyPod),
  ),
  once(
    'received from no pod, from every address',
    only('ingress', 'x', 'pod', x, noPod),
    only('ingress', 'x', 'address', x, everyAddress),
  ),
  once('sent to no address', only('egress', 'x', 'address', x, noAddress)),
  once('sent to no pod', only('egress', 'x', 'pod', x, noPod)),
  once('received from no address', only('ingress', 'x', 'address', x, noAddress)),
  once('received from no pod', only('ingress', 'x', 'pod', x, noPod)),
  once(
    'policies with overlapping selectors add up where they overlap',
    only('ingress', 'x', 'ab', pod('a', 'b'), { peers: [{ namespaceSelector: ns('y') }] }),
    only('ingress', 'x', 'bc', pod('b', 'c'), { peers: [{ namespaceSelector: ns('z') }] }),
  ),
  once(
    'one policy isolates all and three open a little each',
    np('x', 'closed', { podSelector: all, policyTypes: ['Ingress', 'Egress'] }),
    only('ingress', 'x', 'web', pod('a'), { ports: [{ port: 80 }] }),
    only('ingress', 'x', 'names', pod('b'), {
      peers: [{ namespaceSelector: ns('y') }],
      ports: [{ protocol: 'UDP', port: 81 }],
    }),
    only('egress', 'x', 'out', pod('c'), { peers: [{ namespaceSelector: ns('z') }] }),
  ),
  once(
    'the same policy under ten names is the same policy',
    ...Array.from({ length: 10 }, (_, i) =>
      only('ingress', 'x', `copy-${i}`, pod('a'), { peers: [{ namespaceSelector: ns('y') }] }),
    ),
  ),
  once(
    'policies of one name in several namespaces are several policies',
    denyIngress('x'),
    denyIngress('y', pod('a')),
    denyIngress('z', pod('b')),
  ),
];
