import { all, denyEgress, denyIngress, np, once, only, pod, set, where } from './build.ts';

/** What the presence of a policy alone does: isolation, in each direction by itself. */
export const defaults = [
  once('a policy without rules closes a namespace for what it receives, and for nothing else', denyIngress('x')),
  once('a policy without rules closes a namespace for what it sends, and for nothing else', denyEgress('x')),
  once(
    'one policy closes both directions of a namespace',
    np('x', 'deny-all', { podSelector: all, policyTypes: ['Ingress', 'Egress'] }),
  ),
  once('two policies close both directions of a namespace', denyIngress('x'), denyEgress('x')),
  once('ingress is isolated without policyTypes, too', np('x', 'plain', { podSelector: all })),
  once(
    'empty lists of rules are the same as none',
    np('x', 'empty', { podSelector: all, policyTypes: ['Ingress', 'Egress'], ingress: [], egress: [] }),
  ),
  once(
    'a policy with egress rules and no policyTypes isolates both directions',
    np('x', 'implied', { podSelector: all, egress: [{}] }),
  ),
  once(
    'a policy with ingress rules and no policyTypes leaves egress alone',
    np('x', 'implied', { podSelector: all, ingress: [{}] }),
  ),
  once(
    'egress rules count for nothing where policyTypes names only ingress',
    np('x', 'mismatch', { podSelector: all, policyTypes: ['Ingress'], egress: [{}] }),
  ),
  once(
    'ingress rules count for nothing where policyTypes names only egress',
    np('x', 'mismatch', { podSelector: all, policyTypes: ['Egress'], ingress: [{}] }),
  ),
  once('a rule without peers and ports allows all ingress', only('ingress', 'x', 'allow', all, {})),
  once('a rule without peers and ports allows all egress', only('egress', 'x', 'allow', all, {})),
  once('an empty list of peers is any peer, in ingress', only('ingress', 'x', 'allow', all, { peers: [] })),
  once('an empty list of peers is any peer, in egress', only('egress', 'x', 'allow', all, { peers: [] })),
  once('an empty list of ports is any traffic, in ingress', only('ingress', 'x', 'allow', all, { ports: [] })),
  once('an empty list of ports is any traffic, in egress', only('egress', 'x', 'allow', all, { ports: [] })),
  once('every namespace closed is a network at rest', ...['x', 'y', 'z'].map((name) => denyIngress(name))),
  once('every namespace closed for what it sends is, too', ...['x', 'y', 'z'].map((name) => denyEgress(name))),
  once('a policy of a namespace that nobody is in changes nothing', denyIngress('nowhere')),
  once('a policy that selects nobody changes nothing', denyIngress('x', pod('nobody'))),
  once(
    'a selected pod is isolated and its neighbours are not',
    np('x', 'a', { podSelector: pod('a'), policyTypes: ['Ingress', 'Egress'] }),
  ),
  once('a policy selects by In', denyIngress('x', where('pod', 'In', 'a', 'c'))),
  once('a policy selects by NotIn', denyIngress('x', where('pod', 'NotIn', 'a', 'c'))),
  once('NotIn selects who does not have the label', denyIngress('x', where('absent', 'NotIn', 'a'))),
  once('a policy selects by Exists', denyEgress('x', where('pod', 'Exists'))),
  once('Exists selects nobody who does not have the label', denyEgress('x', where('absent', 'Exists'))),
  once('a policy selects by DoesNotExist', denyEgress('x', where('absent', 'DoesNotExist'))),
  once('DoesNotExist selects nobody who has the label', denyEgress('x', where('pod', 'DoesNotExist'))),
  once(
    'labels and expressions of one selector all have to match',
    denyIngress('x', {
      matchLabels: { pod: 'a' },
      matchExpressions: [
        { key: 'pod', operator: 'In', values: ['a', 'b'] },
        { key: 'vetch.io/name', operator: 'NotIn', values: ['x-b'] },
      ],
    }),
  ),
  once(
    'labels and expressions that contradict each other select nobody',
    denyIngress('x', {
      matchLabels: { pod: 'a' },
      matchExpressions: [{ key: 'pod', operator: 'NotIn', values: ['a'] }],
    }),
  ),
  once(
    'an endpoint is selected by the name that it has here',
    denyIngress('y', { matchLabels: { 'vetch.io/name': 'y-b' } }),
  ),
  once('an endpoint is selected by its network', denyIngress('x', { matchLabels: { 'vetch.io/network': 'main' } })),
  set(
    'closing one direction after the other ends with both closed',
    { apply: [denyIngress('x')] },
    { apply: [denyEgress('x')] },
    { delete: ['x/deny-ingress'] },
    { delete: ['x/deny-egress'] },
  ),
];
