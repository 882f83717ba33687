import { expect, test } from 'vitest';
import { far, host, initially, outside, parties, stranger } from '../layout.ts';
import {
  all,
  audited,
  cnp,
  denyEgress,
  denyIngress,
  everybody,
  from,
  inNs,
  np,
  ns,
  only,
  pod,
  tcp,
  to,
  where,
} from '../sets/build.ts';
import type { ClusterPeer, PolicyDocument } from './documents.ts';
import { type Answer, answer } from './oracle.ts';
import type { Family, Party, Protocol } from './situation.ts';

// The model against the sentences of the specification, each worked out by hand.

/** `ask(documents)('x-a', 'y-b', 'tcp', 80)`. */
function ask(...documents: PolicyDocument[]) {
  return (from: string, to: string, protocol: Protocol = 'tcp', port = 80, family: Family = 4): Answer =>
    answer({ ...initially, documents }, { from: party(from), to: party(to), protocol, port, family });
}

function party(name: string): Party {
  const found = parties.find((one) => one.name === name);
  if (!found) throw new Error(`nobody is called ${name}`);
  return found;
}

const allow = { verdict: 'allow', denies: [], audited: false };
const deniedBy = (...denies: string[]) => ({ verdict: 'deny', denies, audited: false });

test('without documents everybody on a network reaches everybody, and nobody another network', () => {
  expect(ask()('x-a', 'y-b')).toEqual(allow);
  expect(ask()('x-a', stranger.endpoint.name)).toEqual(deniedBy('isolation'));
  expect(ask(only('ingress', 'x', 'all', all, {}))(stranger.endpoint.name, 'x-a')).toEqual(deniedBy('isolation'));
});

test('isolation is of one direction, and each end has its say', () => {
  const say = ask(denyIngress('x'));
  expect(say('y-a', 'x-a')).toEqual(deniedBy('ingress'));
  expect(say('x-a', 'y-a')).toEqual(allow);
  expect(ask(denyIngress('x'), denyEgress('y'))('y-a', 'x-a')).toEqual(deniedBy('egress', 'ingress'));
});

test('an endpoint reaches itself, and its host passes, whatever NetworkPolicies say', () => {
  const say = ask(np('x', 'none', { podSelector: all, policyTypes: ['Ingress', 'Egress'] }));
  expect(say('x-a', 'x-a')).toEqual(allow);
  expect(say('x-a', 'x-b').verdict).toBe('deny');
  expect(say('x-a', host.name)).toEqual(allow);
  expect(say(host.name, 'x-a')).toEqual(allow);
  expect(say(outside.name, 'x-a')).toEqual(deniedBy('ingress'));
  expect(say('x-a', outside.name)).toEqual(deniedBy('egress'));
});

test('a policy without policyTypes isolates egress only when it has rules of it', () => {
  const spec = { podSelector: all };
  expect(ask(np('x', 'in', spec))('x-a', 'y-a')).toEqual(allow);
  expect(ask(np('x', 'in', { ...spec, egress: [] }))('x-a', 'y-a')).toEqual(allow);
  expect(ask(np('x', 'in', { ...spec, egress: [{ ports: [{ port: 81 }] }] }))('x-a', 'y-a')).toEqual(
    deniedBy('egress'),
  );
});

test('a pod selector alone is about the namespace of the policy', () => {
  const say = ask(only('ingress', 'x', 'b', all, { peers: [{ podSelector: pod('b') }] }));
  expect(say('x-b', 'x-a')).toEqual(allow);
  expect(say('y-b', 'x-a')).toEqual(deniedBy('ingress'));
});

test('selectors of one peer both have to match; of two peers one is enough', () => {
  const both = ask(only('ingress', 'x', 'p', all, { peers: [{ podSelector: pod('b'), namespaceSelector: ns('y') }] }));
  expect(['x-b', 'y-a', 'y-b'].map((name) => both(name, 'x-a').verdict)).toEqual(['deny', 'deny', 'allow']);
  const either = ask(
    only('ingress', 'x', 'p', all, { peers: [{ podSelector: pod('b') }, { namespaceSelector: ns('y') }] }),
  );
  expect(['x-b', 'y-a', 'z-b'].map((name) => either(name, 'x-a').verdict)).toEqual(['allow', 'allow', 'deny']);
});

test('NotIn and DoesNotExist are met by who has no such label, In and Exists are not', () => {
  for (const [operator, verdict] of [
    ['NotIn', 'deny'],
    ['DoesNotExist', 'deny'],
    ['In', 'allow'],
    ['Exists', 'allow'],
  ] as const) {
    expect(ask(denyIngress('x', where('absent', operator, 'v')))('y-a', 'x-a').verdict, operator).toBe(verdict);
  }
});

test('allowances add up, and rules keep their peers and ports together', () => {
  const say = ask(
    denyIngress('x'),
    only(
      'ingress',
      'x',
      'two',
      all,
      { peers: [{ namespaceSelector: ns('y') }], ports: [{ port: 80 }] },
      { peers: [{ namespaceSelector: ns('z') }], ports: [{ port: 81 }] },
    ),
  );
  const verdicts = [80, 81].map((port) => ['y-a', 'z-a'].map((name) => say(name, 'x-a', 'tcp', port).verdict));
  expect(verdicts).toEqual([
    ['allow', 'deny'],
    ['deny', 'allow'],
  ]);
});

test('a port without protocol is TCP; ranges hold both their ends; ports leave ICMP closed', () => {
  const say = ask(only('ingress', 'x', 'range', all, { ports: [{ port: 80, endPort: 82 }, { protocol: 'SCTP' }] }));
  expect([79, 80, 82, 83].map((port) => say('y-a', 'x-a', 'tcp', port).verdict)).toEqual([
    'deny',
    'allow',
    'allow',
    'deny',
  ]);
  expect(say('y-a', 'x-a', 'udp', 80).verdict).toBe('deny');
  expect(say('y-a', 'x-a', 'sctp', 9).verdict).toBe('allow');
  expect(say('y-a', 'x-a', 'icmp', 0).verdict).toBe('deny');
  expect(ask(only('ingress', 'x', 'any', all, {}))('y-a', 'x-a', 'icmp', 0)).toEqual(allow);
});

test('a named port is the one that the receiver calls so, in both directions, and nobody outside has one', () => {
  for (const document of [
    only('egress', 'x', 'web', all, { ports: [{ port: 'web' }] }),
    cnp('Admin', 1, 'web', {
      subject: { namespaces: ns('x') },
      egress: [
        to('Accept', [everybody], { destinationNamedPort: 'web' }),
        to('Deny', [everybody, { networks: ['0.0.0.0/0'] }]),
      ],
    }),
  ]) {
    const say = ask(document);
    const verdicts = ['x-b', 'y-a', 'z-a'].map((name) => [80, 81].map((port) => say('x-a', name, 'tcp', port).verdict));
    expect(verdicts).toEqual([
      ['allow', 'deny'],
      ['deny', 'allow'],
      ['deny', 'deny'],
    ]);
    expect(say('x-a', outside.name).verdict).toBe('deny');
  }
  // z calls 80/udp so, but a port without protocol is TCP
  expect(ask(only('egress', 'x', 'web', all, { ports: [{ port: 'web' }] }))('x-a', 'z-a', 'udp', 80).verdict).toBe(
    'deny',
  );
});

test('an address block holds endpoints, too, of its family, but not what it excepts', () => {
  const say = ask(
    only('egress', 'x', 'block', all, { peers: [{ ipBlock: { cidr: '10.88.2.0/24', except: ['10.88.2.2/31'] } }] }),
  );
  expect(['y-a', 'y-b', 'y-c', 'z-a'].map((name) => say('x-a', name).verdict)).toEqual([
    'allow',
    'deny',
    'deny',
    'deny',
  ]);
  expect(say('x-a', 'y-a', 'tcp', 80, 6).verdict).toBe('deny');
  expect(
    ask(only('egress', 'x', 'world', all, { peers: [{ ipBlock: { cidr: '::/0' } }] }))('x-a', far.name).verdict,
  ).toBe('deny');
});

test('tiers: Admin, then NetworkPolicy, then Baseline; Pass hands on; what no tier decides is allowed', () => {
  const x = { namespaces: ns('x') };
  const tier = (name: 'Admin' | 'Baseline', action: 'Accept' | 'Deny' | 'Pass') =>
    cnp(name, 5, name.toLowerCase(), { subject: x, ingress: [from(action, [inNs('y')])] });
  const closed = denyIngress('x');
  const open = only('ingress', 'x', 'open', all, {});
  const verdict = (...documents: PolicyDocument[]) => ask(...documents)('y-a', 'x-a').verdict;
  expect(verdict(tier('Admin', 'Accept'), closed)).toBe('allow');
  expect(verdict(tier('Admin', 'Deny'), open)).toBe('deny');
  expect(verdict(tier('Admin', 'Pass'), closed, tier('Baseline', 'Accept'))).toBe('deny');
  expect(verdict(tier('Admin', 'Pass'), open, tier('Baseline', 'Deny'))).toBe('allow');
  expect(verdict(tier('Admin', 'Pass'), tier('Baseline', 'Deny'))).toBe('deny');
  expect(verdict(tier('Admin', 'Pass'), tier('Baseline', 'Pass'))).toBe('allow');
  // An isolating NetworkPolicy decides about all that its pods receive
  expect(ask(only('ingress', 'x', 'a', pod('a'), {}), tier('Baseline', 'Deny'))('y-a', 'x-b').verdict).toBe('deny');
});

test('the first match of a policy and the lowest priority count; at equal priority deny wins', () => {
  const rules = (priority: number, name: string, ...ingress: ReturnType<typeof from>[]) =>
    cnp('Admin', priority, name, { ingress });
  const verdict = (...documents: PolicyDocument[]) => ask(...documents)('y-a', 'x-a').verdict;
  const accept = from('Accept', [everybody]);
  const deny = from('Deny', [everybody]);
  expect(verdict(rules(1, 'one', accept, deny))).toBe('allow');
  expect(verdict(rules(2, 'two', accept), rules(1, 'one', deny))).toBe('deny');
  expect(verdict(rules(1, 'a', accept), rules(1, 'b', deny))).toBe('deny');
  expect(verdict(rules(1, 'a', accept, deny), rules(1, 'b', accept))).toBe('allow');
});

test('a cluster policy decides about nodes and networks, and its pods and namespaces are endpoints alone', () => {
  const everywhere = { networks: ['0.0.0.0/0'] };
  expect(ask(cnp('Admin', 1, 'n', { egress: [to('Deny', [{ nodes: all }])] }))('x-a', host.name).verdict).toBe('deny');
  expect(ask(cnp('Admin', 1, 'n', { egress: [to('Deny', [{ nodes: all }])] }))('x-a', outside.name).verdict).toBe(
    'allow',
  );
  for (const name of ['y-a', host.name, outside.name])
    expect(ask(cnp('Admin', 1, 'n', { egress: [to('Deny', [everywhere])] }))('x-a', name).verdict, name).toBe('deny');
  expect(ask(cnp('Admin', 1, 'n', { egress: [to('Deny', [everybody])] }))('x-a', outside.name).verdict).toBe('allow');
  expect(ask(cnp('Admin', 1, 'n', { ingress: [from('Deny', [everybody])] }))(host.name, 'x-a').verdict).toBe('allow');
});

test('a protocol of a cluster policy is about its ports alone', () => {
  const say = ask(cnp('Admin', 1, 'p', { ingress: [from('Deny', [everybody], tcp(80, 81), { udp: {} })] }));
  expect(say('y-a', 'x-a', 'tcp', 81).verdict).toBe('deny');
  expect(say('y-a', 'x-a', 'tcp', 82).verdict).toBe('allow');
  expect(say('y-a', 'x-a', 'udp', 9).verdict).toBe('deny');
  expect(say('y-a', 'x-a', 'icmp', 0).verdict).toBe('allow');
});

test('an unknown peer fails closed: Accept matches nothing, Deny and Pass deny all', () => {
  const unknown: ClusterPeer = {};
  const say = (action: 'Accept' | 'Deny' | 'Pass') =>
    ask(cnp('Admin', 1, 'u', { ingress: [from(action, [unknown], tcp(9))] }))('y-a', 'x-a').verdict;
  expect([say('Accept'), say('Deny'), say('Pass')]).toEqual(['allow', 'deny', 'deny']);
});

test('what a document under audit denies passes, and is told', () => {
  expect(ask(audited(denyIngress('x')))('y-a', 'x-a')).toEqual({ ...allow, audited: true });
  expect(ask(audited(denyIngress('x')), denyEgress('y'))('y-a', 'x-a')).toEqual(deniedBy('egress'));
  expect(ask(audited(only('ingress', 'x', 'open', all, {})), denyIngress('x'))('y-a', 'x-a')).toEqual(
    deniedBy('ingress'),
  );
});
