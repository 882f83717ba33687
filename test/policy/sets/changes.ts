import { all, denyEgress, denyIngress, np, ns, only, pod, set, where } from './build.ts';

const isolated = { matchLabels: { target: 'isolated' } };

/** What changes while everything runs: documents, labels of endpoints, labels of namespaces. */
export const changeSets = [
  set(
    'a policy that allows all is replaced by one that denies all, and back',
    { apply: [only('ingress', 'x', 'one', all, {})] },
    { apply: [only('ingress', 'x', 'one', all)] },
    { apply: [only('ingress', 'x', 'one', all, {})] },
  ),
  set(
    'a policy that is deleted is enforced no more',
    { apply: [np('x', 'deny-all', { podSelector: all, policyTypes: ['Ingress', 'Egress'] })] },
    { delete: ['x/deny-all'] },
  ),
  set(
    'a deleted allowance leaves the isolation of the others',
    { apply: [denyIngress('x'), only('ingress', 'x', 'from-y', all, { peers: [{ namespaceSelector: ns('y') }] })] },
    { delete: ['x/from-y'] },
    { delete: ['x/deny-ingress'] },
  ),
  set(
    'a stack of policies grows by a port a step',
    {
      apply: [
        only('ingress', 'x', 'on-81', pod('a'), { peers: [{ namespaceSelector: ns('y') }], ports: [{ port: 81 }] }),
      ],
    },
    {},
    {
      apply: [
        only('ingress', 'x', 'on-80', pod('a'), { peers: [{ namespaceSelector: ns('y') }], ports: [{ port: 80 }] }),
      ],
    },
    { delete: ['x/on-81'] },
  ),
  set(
    'an updated policy moves from one port to another',
    { apply: [only('ingress', 'x', 'port', all, { ports: [{ port: 80 }] })] },
    { apply: [only('ingress', 'x', 'port', all, { ports: [{ port: 81 }] })] },
    { apply: [only('ingress', 'x', 'port', all, { ports: [{ protocol: 'UDP', port: 81 }] })] },
  ),
  set(
    'an updated policy moves from one target to another',
    { apply: [denyIngress('x', pod('a'))] },
    { apply: [denyIngress('x', pod('b'))] },
    { apply: [denyIngress('x', where('pod', 'NotIn', 'b'))] },
  ),
  set(
    'an updated policy turns from ingress to egress',
    { apply: [np('x', 'turns', { podSelector: pod('a'), policyTypes: ['Ingress'] })] },
    { apply: [np('x', 'turns', { podSelector: pod('a'), policyTypes: ['Egress'] })] },
    { apply: [np('x', 'turns', { podSelector: pod('a'), policyTypes: ['Ingress', 'Egress'] })] },
  ),
  set(
    'an updated policy narrows its block',
    { apply: [only('egress', 'x', 'block', all, { peers: [{ ipBlock: { cidr: '10.88.0.0/16' } }] })] },
    { apply: [only('egress', 'x', 'block', all, { peers: [{ ipBlock: { cidr: '10.88.2.0/24' } }] })] },
    {
      apply: [
        only('egress', 'x', 'block', all, { peers: [{ ipBlock: { cidr: '10.88.2.0/24', except: ['10.88.2.1/32'] } }] }),
      ],
    },
  ),
  set(
    'a namespace that is labelled becomes a peer, and ceases to be one',
    {
      apply: [
        only('ingress', 'x', 'updated', pod('a'), {
          peers: [{ namespaceSelector: { matchLabels: { ns2: 'updated' } } }],
        }),
      ],
    },
    { labelNamespaces: { y: { ns2: 'updated' } } },
    { labelNamespaces: { y: { ns2: 'again' } } },
    { labelNamespaces: { y: { ns2: null }, z: { ns2: 'updated' } } },
    { labelNamespaces: { z: { ns2: null } } },
  ),
  set(
    'a namespace that loses its label meets NotIn and DoesNotExist',
    {
      apply: [
        only('ingress', 'x', 'not-in', pod('a'), {
          peers: [{ namespaceSelector: where('ns', 'NotIn', 'x', 'y', 'z') }],
        }),
        only('ingress', 'x', 'not-there', pod('b'), { peers: [{ namespaceSelector: where('ns', 'DoesNotExist') }] }),
      ],
    },
    { labelNamespaces: { z: { ns: null } } },
    { labelNamespaces: { z: { ns: 'z' } } },
  ),
  set(
    'a pod that is labelled becomes a peer, and ceases to be one',
    {
      apply: [
        only('ingress', 'x', 'updated', pod('a'), {
          peers: [{ podSelector: { matchLabels: { pod: 'b', pod2: 'updated' } } }],
        }),
      ],
    },
    { labelEndpoints: { 'x-b': { pod2: 'updated' } } },
    { labelEndpoints: { 'x-b': { pod2: null } } },
  ),
  set(
    'a pod that is labelled becomes a target, and ceases to be one',
    { apply: [denyIngress('x', isolated)] },
    { labelEndpoints: { 'x-a': { target: 'isolated' } } },
    { labelEndpoints: { 'x-a': { target: 'free' }, 'x-c': { target: 'isolated' } } },
    { labelEndpoints: { 'x-a': { target: null }, 'x-c': { target: null } } },
  ),
  set(
    'a pod that is labelled is closed for what it sends, at once',
    { apply: [denyEgress('y', isolated)] },
    { labelEndpoints: { 'y-c': { target: 'isolated' } } },
    { labelEndpoints: { 'y-c': { target: null } } },
  ),
  set(
    'pods that change places change permissions',
    { apply: [only('ingress', 'x', 'a-from-b', pod('a'), { peers: [{ podSelector: pod('b') }] })] },
    { labelEndpoints: { 'x-a': { pod: 'b' }, 'x-b': { pod: 'a' } } },
    { labelEndpoints: { 'x-a': { pod: 'a' }, 'x-b': { pod: 'b' } } },
  ),
  set(
    'a pod that gives its name to another port moves what a named port opens',
    { apply: [only('ingress', 'x', 'web', all, { ports: [{ port: 'web' }] })] },
    { labelEndpoints: { 'x-a': { 'vetch.io/port.web': '81/tcp' } } },
    { labelEndpoints: { 'x-a': { 'vetch.io/port.web': '81/udp' } } },
    { labelEndpoints: { 'x-a': { 'vetch.io/port.web': null } } },
    { labelEndpoints: { 'x-a': { 'vetch.io/port.web': '80/tcp' } } },
  ),
  set(
    'labels come first and the policy that selects them after',
    { labelEndpoints: { 'z-a': { role: 'db' } }, labelNamespaces: { y: { tier: 'front' } } },
    {
      apply: [
        only(
          'ingress',
          'z',
          'db',
          { matchLabels: { role: 'db' } },
          { peers: [{ namespaceSelector: { matchLabels: { tier: 'front' } } }] },
        ),
      ],
    },
    { labelNamespaces: { y: { tier: null } } },
    { labelEndpoints: { 'z-a': { role: null } } },
  ),
  set(
    'many policies come and go at once',
    { apply: ['x', 'y', 'z'].flatMap((name) => [denyIngress(name), denyEgress(name)]) },
    { apply: ['x', 'y', 'z'].map((name) => only('ingress', name, 'open', all, {})) },
    { delete: ['x/deny-ingress', 'x/deny-egress', 'y/deny-egress', 'z/deny-egress'] },
    { delete: ['x/open', 'y/open', 'z/open', 'y/deny-ingress', 'z/deny-ingress'] },
  ),
  set(
    'the same document applied again changes nothing',
    { apply: [only('ingress', 'x', 'one', all, { peers: [{ namespaceSelector: ns('y') }] })] },
    { apply: [only('ingress', 'x', 'one', all, { peers: [{ namespaceSelector: ns('y') }] })] },
  ),
];
