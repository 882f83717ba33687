import type { ClusterRule } from '../model/documents.ts';
import {
  all,
  cnp,
  denyEgress,
  denyIngress,
  everybody,
  from,
  inNs,
  np,
  ns,
  once,
  only,
  pod,
  podsIn,
  set,
  tcp,
  to,
  udp,
} from './build.ts';

const x = { namespaces: ns('x') };
const y = { namespaces: ns('y') };
/** Who an ingress or an egress rule is about, and what it does. */
const receiving = (action: ClusterRule['action'], peer = everybody) => ({ ingress: [from(action, [peer])] });
const sending = (action: ClusterRule['action'], peer = everybody) => ({ egress: [to(action, [peer])] });

/** The order of tiers, priorities and rules. */
export const tierSets = [
  once(
    'an Admin policy denies what a namespace receives',
    cnp('Admin', 10, 'deny', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'an Admin policy denies what a namespace sends to pods',
    cnp('Admin', 10, 'deny', { subject: x, ...sending('Deny') }),
  ),
  once(
    'an Admin policy that accepts isolates nobody',
    cnp('Admin', 10, 'accept', { subject: x, ...receiving('Accept', inNs('y')) }),
  ),
  once('an Admin policy that passes isolates nobody', cnp('Admin', 10, 'pass', { subject: x, ...receiving('Pass') })),
  once('an Admin policy without rules decides nothing', cnp('Admin', 10, 'empty', { subject: x })),
  once(
    'an Admin policy about ingress leaves egress alone',
    cnp('Admin', 10, 'in', { subject: x, ...receiving('Deny', inNs('x')) }),
  ),
  once(
    'Admin Deny beats a NetworkPolicy that allows',
    cnp('Admin', 10, 'deny', { subject: x, ...receiving('Deny', inNs('y')) }),
    only('ingress', 'x', 'allow', all, {}),
  ),
  once(
    'Admin Accept beats a NetworkPolicy that isolates',
    cnp('Admin', 10, 'accept', { subject: x, ...receiving('Accept', inNs('y')) }),
    denyIngress('x'),
  ),
  once(
    'Admin Accept of what one end sends leaves the other end its say',
    cnp('Admin', 10, 'accept', { subject: x, ...sending('Accept', inNs('y')) }),
    denyEgress('x'),
    denyIngress('y', pod('a')),
  ),
  once(
    'Admin Pass hands on to NetworkPolicies',
    cnp('Admin', 10, 'pass', { subject: x, ingress: [from('Pass', [inNs('y')]), from('Deny', [everybody])] }),
    only('ingress', 'x', 'some', pod('a'), { peers: [{ namespaceSelector: ns('y'), podSelector: pod('b') }] }),
  ),
  once(
    'Admin Pass hands on to the Baseline where no NetworkPolicy is',
    cnp('Admin', 10, 'pass', { subject: x, ingress: [from('Pass', [inNs('y')]), from('Accept', [everybody])] }),
    cnp('Baseline', 10, 'deny', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'Admin Pass skips all that follows in its tier',
    cnp('Admin', 1, 'pass', { subject: x, ...receiving('Pass', inNs('y')) }),
    cnp('Admin', 2, 'deny', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'the Baseline denies where nothing else decides',
    cnp('Baseline', 10, 'deny', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'a NetworkPolicy that allows beats the Baseline',
    cnp('Baseline', 10, 'deny', { subject: x, ...receiving('Deny') }),
    only('ingress', 'x', 'allow', pod('a'), { peers: [{ namespaceSelector: ns('y') }] }),
  ),
  once(
    'a NetworkPolicy that isolates beats a Baseline that accepts',
    cnp('Baseline', 10, 'accept', { subject: x, ...receiving('Accept') }),
    denyIngress('x', pod('a')),
  ),
  once(
    'a NetworkPolicy in one direction leaves the other to the Baseline',
    cnp('Baseline', 10, 'deny', { subject: x, ...receiving('Deny'), ...sending('Deny', inNs('z')) }),
    only('ingress', 'x', 'allow', all, {}),
  ),
  once(
    'Baseline Pass ends in what is allowed by default',
    cnp('Baseline', 10, 'pass', { subject: x, ingress: [from('Pass', [inNs('y')]), from('Deny', [everybody])] }),
  ),
  once(
    'all three tiers, each about a port of its own',
    cnp('Admin', 10, 'admin', {
      subject: x,
      ingress: [from('Deny', [everybody], tcp(80)), from('Accept', [everybody], udp(80))],
    }),
    only('ingress', 'x', 'middle', pod('a'), { ports: [{ port: 81 }, { port: 80 }] }),
    cnp('Baseline', 10, 'base', {
      subject: x,
      ingress: [from('Deny', [everybody], udp(81)), from('Deny', [inNs('z')])],
    }),
  ),
  once(
    'the rule that stands first decides',
    cnp('Admin', 10, 'order', {
      subject: x,
      ingress: [
        from('Accept', [inNs('y')]),
        from('Deny', [inNs('y')]),
        from('Deny', [inNs('z')]),
        from('Accept', [inNs('z')]),
      ],
    }),
  ),
  once(
    'the rule that stands first decides about what is sent, too',
    cnp('Admin', 10, 'order', {
      subject: x,
      egress: [
        to('Deny', [podsIn('y', pod('a'))]),
        to('Accept', [inNs('y')]),
        to('Pass', [inNs('z')]),
        to('Deny', [inNs('z')]),
      ],
    }),
    denyEgress('x', pod('b')),
  ),
  once(
    'the lower number decides: accept before deny',
    cnp('Admin', 5, 'first', { subject: x, ...receiving('Accept', inNs('y')) }),
    cnp('Admin', 6, 'second', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'the lower number decides: deny before accept',
    cnp('Admin', 6, 'first', { subject: x, ...receiving('Accept', inNs('y')) }),
    cnp('Admin', 5, 'second', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'the ends of the range of priorities are priorities like others',
    cnp('Admin', 0, 'first', { subject: x, ...receiving('Accept', inNs('y')) }),
    cnp('Admin', 1000, 'last', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'the lower number decides in the Baseline, too',
    cnp('Baseline', 7, 'second', { subject: x, ...receiving('Deny') }),
    cnp('Baseline', 3, 'first', { subject: x, ...receiving('Accept', inNs('z')) }),
  ),
  once(
    'at equal priority deny wins',
    cnp('Admin', 5, 'a-accept', { subject: x, ...receiving('Accept') }),
    cnp('Admin', 5, 'b-deny', { subject: x, ...receiving('Deny', inNs('y')) }),
  ),
  once(
    'at equal priority deny wins whatever they are called',
    cnp('Admin', 5, 'b-accept', { subject: x, ...receiving('Accept') }),
    cnp('Admin', 5, 'a-deny', { subject: x, ...receiving('Deny', inNs('y')) }),
  ),
  once(
    'at equal priority deny wins in the Baseline',
    cnp('Baseline', 5, 'accept', { subject: x, ...sending('Accept') }),
    cnp('Baseline', 5, 'deny', { subject: x, ...sending('Deny', inNs('z')) }),
  ),
  once(
    'at equal priority deny wins only where it is the first match of its policy',
    cnp('Admin', 5, 'one', { subject: x, ingress: [from('Accept', [inNs('y')]), from('Deny', [everybody])] }),
    cnp('Admin', 5, 'two', {
      subject: x,
      ingress: [from('Deny', [podsIn('y', pod('c'))]), from('Accept', [inNs('z')])],
    }),
  ),
  once(
    'at equal priority deny beats Pass',
    cnp('Admin', 5, 'pass', { subject: x, ...receiving('Pass') }),
    cnp('Admin', 5, 'deny', { subject: x, ...receiving('Deny', inNs('z')) }),
  ),
  once(
    'equal numbers of different tiers are no equals',
    cnp('Admin', 5, 'accept', { subject: x, ...receiving('Accept', inNs('y')) }),
    cnp('Baseline', 5, 'deny', { subject: x, ...receiving('Deny') }),
  ),
  once(
    'subjects are pods of namespaces',
    cnp('Admin', 5, 'pods', {
      subject: { pods: { namespaceSelector: ns('x'), podSelector: pod('a', 'b') } },
      ...receiving('Deny'),
    }),
  ),
  once(
    'a subject without namespace selector is pods of any',
    cnp('Admin', 5, 'pods', { subject: { pods: { podSelector: pod('c') } }, ...receiving('Deny') }),
  ),
  once(
    'a subject of namespaces by expression',
    cnp('Admin', 5, 'ns', {
      subject: { namespaces: { matchExpressions: [{ key: 'ns', operator: 'NotIn', values: ['x'] }] } },
      ...receiving('Deny', inNs('x')),
    }),
  ),
  once('a subject of all namespaces is everybody', cnp('Admin', 5, 'all', receiving('Deny'))),
  once(
    'egress of one policy and ingress of another meet',
    cnp('Admin', 5, 'out', { subject: x, ...sending('Accept', inNs('y')) }),
    cnp('Admin', 6, 'in', { subject: y, ...receiving('Deny', inNs('x')) }),
  ),
  once(
    'tenants are kept apart, and a namespace for all stays open',
    cnp('Admin', 50, 'x', { subject: x, ingress: [from('Pass', [inNs('x')]), from('Deny', [inNs('y')])] }),
    cnp('Admin', 51, 'y', { subject: y, ingress: [from('Pass', [inNs('y')]), from('Deny', [inNs('x')])] }),
  ),
  set(
    'a priority that changes changes who decides',
    {
      apply: [
        cnp('Admin', 10, 'accept', { subject: x, ...receiving('Accept', inNs('y')) }),
        cnp('Admin', 20, 'deny', { subject: x, ...receiving('Deny') }),
      ],
    },
    { apply: [cnp('Admin', 30, 'accept', { subject: x, ...receiving('Accept', inNs('y')) })] },
    { apply: [cnp('Admin', 20, 'accept', { subject: x, ...receiving('Accept', inNs('y')) })] },
    { delete: ['deny'] },
  ),
  set(
    'an action that changes is enforced: Deny, Pass, Accept',
    { apply: [denyIngress('x', pod('a')), cnp('Admin', 10, 'one', { subject: x, ...receiving('Deny') })] },
    { apply: [cnp('Admin', 10, 'one', { subject: x, ...receiving('Pass') })] },
    { apply: [cnp('Admin', 10, 'one', { subject: x, ...receiving('Accept') })] },
    { delete: ['one'] },
  ),
  set(
    'a policy that moves to the other tier gives way to NetworkPolicies',
    {
      apply: [
        only('ingress', 'x', 'allow', pod('a'), {}),
        cnp('Admin', 10, 'moves', { subject: x, ...receiving('Deny') }),
      ],
    },
    { apply: [cnp('Baseline', 10, 'moves', { subject: x, ...receiving('Deny') })] },
    { delete: ['x/allow'] },
    { delete: ['moves'] },
  ),
  set(
    'a label makes a pod the subject and the peer of a cluster policy',
    {
      apply: [
        cnp('Admin', 10, 'quarantine', {
          subject: { pods: { podSelector: { matchLabels: { state: 'quarantined' } } } },
          ...receiving('Deny'),
          ...sending('Deny'),
        }),
        cnp('Admin', 20, 'trusted', {
          subject: x,
          ingress: [
            from('Accept', [{ pods: { podSelector: { matchLabels: { state: 'trusted' } } } }]),
            from('Deny', [everybody]),
          ],
        }),
      ],
    },
    { labelEndpoints: { 'y-a': { state: 'trusted' }, 'z-c': { state: 'quarantined' } } },
    { labelEndpoints: { 'y-a': { state: 'quarantined' } } },
    { labelEndpoints: { 'y-a': { state: null }, 'z-c': { state: null } } },
  ),
  set(
    'a label makes a namespace the subject of a cluster policy',
    {
      apply: [
        cnp('Baseline', 10, 'restricted', {
          subject: { namespaces: { matchLabels: { level: 'restricted' } } },
          ...receiving('Deny'),
        }),
      ],
    },
    { labelNamespaces: { x: { level: 'restricted' }, y: { level: 'open' } } },
    { labelNamespaces: { x: { level: null }, y: { level: null } } },
  ),
  set(
    'cluster policies and NetworkPolicies come and go in turn',
    { apply: [cnp('Baseline', 10, 'base', { subject: x, ...receiving('Deny') })] },
    { apply: [np('x', 'all', { podSelector: all, ingress: [{}] })] },
    { apply: [cnp('Admin', 10, 'admin', { subject: x, ...receiving('Deny', inNs('z')) })] },
    { delete: ['base', 'x/all'] },
    { delete: ['admin'] },
  ),
];
