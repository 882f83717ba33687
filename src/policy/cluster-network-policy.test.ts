import { describe, expect, test } from 'vitest';
import { World } from './testing/world.ts';

function six(): World {
  const world = new World();
  for (const namespace of ['x', 'y', 'z']) {
    world.namespace(namespace, { ns: namespace });
    for (const name of ['a', 'b'])
      world.endpoint(`${namespace}/${name}`, { 'vetch.io/port.web': '80/tcp', 'vetch.io/port.dns': '53/udp' });
  }
  return world;
}

interface Document {
  readonly name?: string;
  readonly tier?: 'Admin' | 'Baseline';
  readonly priority?: number;
  readonly subject?: string;
  readonly ingress?: string;
  readonly egress?: string;
  readonly audit?: boolean;
}

const inX = '{namespaces: {matchLabels: {ns: x}}}';

function cnp({
  name = 'c',
  tier = 'Admin',
  priority = 10,
  subject = inX,
  ingress = '[]',
  egress = '[]',
  audit = false,
}: Document): string {
  const annotations = audit ? ', annotations: {vetch.io/enforcement: audit}' : '';
  return `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: ${name}${annotations}}
spec: {tier: ${tier}, priority: ${priority}, subject: ${subject}, ingress: ${ingress}, egress: ${egress}}
---
`;
}

function np(spec: string, metadata = 'name: n, namespace: x'): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {${metadata}}\nspec: ${spec}\n---\n`;
}

const isolate = np('{podSelector: {}}');
const open = np('{podSelector: {}, ingress: [{}]}');
const from = (namespace: string) => `{namespaces: {matchLabels: {ns: ${namespace}}}}`;
const rule = (action: string, peers: string, rest = '') => `{action: ${action}, from: [${peers}]${rest}}`;
const any = '{namespaces: {}}';

/** Of y/a to x/a. */
const verdict = (yaml: string, port?: string) => six().policies(yaml).verdict('y/a', 'x/a', port);

describe('tiers', () => {
  test.each<[string, string, string]>([
    [
      'an Admin denial stands before a NetworkPolicy that allows',
      cnp({ ingress: `[${rule('Deny', any)}]` }) + open,
      'deny',
    ],
    [
      'an Admin acceptance stands before a NetworkPolicy that isolates',
      cnp({ ingress: `[${rule('Accept', any)}]` }) + isolate,
      'allow',
    ],
    [
      'Pass hands on to a NetworkPolicy that isolates',
      cnp({ ingress: `[${rule('Pass', any)}, ${rule('Accept', any)}]` }) + isolate,
      'deny',
    ],
    [
      'Pass hands on to a NetworkPolicy that allows',
      cnp({ ingress: `[${rule('Pass', any)}, ${rule('Deny', any)}]` }) + open,
      'allow',
    ],
    [
      'Pass without a NetworkPolicy hands on to Baseline',
      cnp({ ingress: `[${rule('Pass', any)}]` }) +
        cnp({ name: 'b', tier: 'Baseline', ingress: `[${rule('Deny', any)}]` }),
      'deny',
    ],
    [
      'a Baseline denial holds where no NetworkPolicy selects',
      cnp({ tier: 'Baseline', ingress: `[${rule('Deny', any)}]` }),
      'deny',
    ],
    [
      'a NetworkPolicy that allows is never handed to Baseline',
      cnp({ tier: 'Baseline', ingress: `[${rule('Deny', any)}]` }) + open,
      'allow',
    ],
    [
      'a NetworkPolicy that isolates is never handed to Baseline',
      cnp({ tier: 'Baseline', ingress: `[${rule('Accept', any)}]` }) + isolate,
      'deny',
    ],
    [
      'Pass from Baseline ends in the default',
      cnp({ tier: 'Baseline', ingress: `[${rule('Pass', any)}, ${rule('Deny', any)}]` }),
      'allow',
    ],
    ['no rule that matches ends in the default', cnp({ ingress: `[${rule('Deny', from('z'))}]` }), 'allow'],
    [
      'a document without rules of a direction says nothing about it',
      cnp({ egress: `[{action: Deny, to: [${any}]}]` }),
      'allow',
    ],
  ])('%s', (_, yaml, expected) => expect(verdict(yaml)).toBe(expected));
});

describe('order', () => {
  const two = (first: Document, second: Document) => cnp({ name: 'b', ...first }) + cnp({ name: 'a', ...second });
  const deny = `[${rule('Deny', any)}]`;
  const accept = `[${rule('Accept', any)}]`;
  const pass = `[${rule('Pass', any)}]`;
  test.each<[string, string, string]>([
    [
      'the first rule of a document that matches decides',
      cnp({ ingress: `[${rule('Accept', from('y'))}, ${rule('Deny', any)}]` }),
      'allow',
    ],
    [
      'the lower priority number decides',
      two({ priority: 5, ingress: deny }, { priority: 6, ingress: accept }),
      'deny',
    ],
    [
      'the lower priority number decides, whatever it says',
      two({ priority: 5, ingress: accept }, { priority: 6, ingress: deny }),
      'allow',
    ],
    ['priority 0 comes first', two({ priority: 0, ingress: accept }, { priority: 1000, ingress: deny }), 'allow'],
    ['at equal priority a denial wins over an acceptance', two({ ingress: deny }, { ingress: accept }), 'deny'],
    [
      'at equal priority a denial wins, in the other order of names',
      two({ ingress: accept }, { ingress: deny }),
      'deny',
    ],
    ['at equal priority a denial wins over Pass', two({ ingress: pass }, { ingress: deny }), 'deny'],
    ['at equal priority Pass wins over an acceptance', two({ ingress: accept }, { ingress: pass }) + isolate, 'deny'],
    [
      'a document of equal priority that does not match says nothing',
      two({ ingress: `[${rule('Deny', from('z'))}]` }, { ingress: accept }),
      'allow',
    ],
    [
      'Pass skips the later priorities of its tier',
      two({ priority: 1, ingress: pass }, { priority: 2, ingress: deny }),
      'allow',
    ],
  ])('%s', (_, yaml, expected) => expect(verdict(yaml)).toBe(expected));
});

describe('peers and ports', () => {
  test('pods by both of their selectors', () => {
    const pods = '{pods: {namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: a}}}}';
    expect(
      six()
        .policies(cnp({ ingress: `[${rule('Deny', pods)}]` }))
        .reach('x/a'),
    ).toEqual(['x/b', 'y/b', 'z/a', 'z/b']);
  });

  test('a subject of pods', () => {
    const world = six().policies(
      cnp({ subject: '{pods: {podSelector: {matchLabels: {pod: b}}}}', ingress: `[${rule('Deny', any)}]` }),
    );
    expect([world.reach('x/a').length, world.reach('x/b').length, world.reach('z/b').length]).toEqual([5, 0, 0]);
  });

  test('selectors never match the world or the host', () => {
    const world = six().policies(cnp({ ingress: `[${rule('Deny', any)}]` }));
    expect([world.verdict('world', 'x/a'), world.verdict('host', 'x/a')]).toEqual(['allow', 'allow']);
  });

  test.each<[string, string, string]>([
    ['a number', '{tcp: {destinationPort: {number: 80}}}', '80/tcp'],
    ['a range', '{udp: {destinationPort: {range: {start: 50, end: 60}}}}', '53/udp'],
    ['a named port, which brings its protocol', '{destinationNamedPort: dns}', '53/udp'],
    ['SCTP', '{sctp: {destinationPort: {number: 9}}}', '9/sctp'],
  ])('ports by %s', (_, protocol, port) => {
    const yaml = cnp({ ingress: `[${rule('Deny', any, `, protocols: [${protocol}]`)}]` });
    expect(verdict(yaml, port)).toBe('deny');
    expect(['81/tcp', '70/udp', '53/tcp', '1'].map((other) => verdict(yaml, other))).toEqual([
      'allow',
      'allow',
      'allow',
      'allow',
    ]);
  });

  test('a rule without protocols holds for ICMP too', () => {
    expect(verdict(cnp({ ingress: `[${rule('Deny', any)}]` }), '1')).toBe('deny');
  });

  test('networks hold endpoints, the host and the world alike', () => {
    const world = six().policies(
      cnp({ egress: '[{action: Deny, to: [{networks: [10.0.0.0/24, 192.168.0.0/24, 203.0.113.0/24]}]}]' }),
    );
    const verdicts = ['y/a', 'host', '203.0.113.9', '198.51.100.1'].map((to) => world.verdict('x/a', to));
    expect(verdicts).toEqual(['deny', 'deny', 'deny', 'allow']);
    expect(world.verdict('x/a', 'y/a', '80/tcp', 6)).toBe('allow');
  });

  test('a narrow acceptance before a broad denial, and after it', () => {
    const narrow = '{action: Accept, to: [{networks: [203.0.113.0/28]}]}';
    const broad = '{action: Deny, to: [{networks: [0.0.0.0/0, "::/0"]}]}';
    expect(
      six()
        .policies(cnp({ egress: `[${narrow}, ${broad}]` }))
        .verdict('x/a', '203.0.113.5'),
    ).toBe('allow');
    expect(
      six()
        .policies(cnp({ egress: `[${narrow}, ${broad}]` }))
        .verdict('x/a', '203.0.113.55'),
    ).toBe('deny');
    expect(
      six()
        .policies(cnp({ egress: `[${broad}, ${narrow}]` }))
        .verdict('x/a', '203.0.113.5'),
    ).toBe('deny');
  });

  test.each<[string, string, string]>([
    ['all of them', '{}', 'deny'],
    ['this one by its name', '{matchLabels: {kubernetes.io/hostname: node-1}}', 'deny'],
    ['another one', '{matchLabels: {kubernetes.io/hostname: node-2}}', 'allow'],
  ])('nodes: %s', (_, selector, expected) => {
    const world = six().policies(
      cnp({ egress: `[{action: Deny, to: [{nodes: ${selector}}]}]` }) + np('{podSelector: {}, policyTypes: [Egress]}'),
    );
    expect(world.verdict('x/a', 'host')).toBe(expected);
  });

  describe('domain names', () => {
    const only = (names: string, protocols = '') =>
      cnp({
        egress: `[{action: Accept, to: [{domainNames: [${names}]}]${protocols}}, {action: Deny, to: [{networks: [0.0.0.0/0, '::/0']}]}]`,
      });
    const told = () => six().learned('x/a', '192.0.2.9', ['www.example.com']);

    test.each<[string, string, string]>([
      ['the name itself', 'www.example.com', 'allow'],
      ['in another case, with the final dot', 'WWW.Example.COM.', 'allow'],
      ['all below a name', '"*.example.com"', 'allow'],
      ['another name', 'example.com', 'deny'],
      ['all below the name, which is not the name', '"*.www.example.com"', 'deny'],
      ['a name that ends alike', '"*.ample.com"', 'deny'],
      ['one of several', '"*.example.org", www.example.com', 'allow'],
    ])('%s: %s', (_, names, expected) => {
      expect(told().policies(only(names)).verdict('x/a', '192.0.2.9')).toBe(expected);
    });

    test('open the address to the endpoint that was told it, and to nobody else', () => {
      const world = told().policies(only('www.example.com'));
      expect(world.verdict('x/a', '192.0.2.9')).toBe('allow');
      expect(world.verdict('x/b', '192.0.2.9')).toBe('deny');
      expect(world.verdict('x/a', '192.0.2.10')).toBe('deny');
    });

    test('by the ports of the rule', () => {
      const world = told().policies(only('www.example.com', ', protocols: [{tcp: {destinationPort: {number: 443}}}]'));
      expect(world.verdict('x/a', '192.0.2.9', '443/tcp')).toBe('allow');
      expect(world.verdict('x/a', '192.0.2.9', '80/tcp')).toBe('deny');
    });

    test('a denial before them stays', () => {
      const world = told().policies(
        cnp({
          egress: `[{action: Deny, to: [{networks: [192.0.2.0/24]}]}, {action: Accept, to: [{domainNames: [www.example.com]}]}]`,
        }),
      );
      expect(world.verdict('x/a', '192.0.2.9')).toBe('deny');
    });

    test('an address of two names has the permissions of both', () => {
      const first =
        '[{action: Accept, to: [{domainNames: [other.example]}], protocols: [{tcp: {destinationPort: {number: 80}}}]}]';
      const later = only('www.example.com', ', protocols: [{tcp: {destinationPort: {number: 443}}}]');
      const world = told().policies(cnp({ name: 'first', priority: 5, egress: first }) + later);
      const verdicts = () => ['80/tcp', '443/tcp', '22/tcp'].map((port) => world.verdict('x/a', '192.0.2.9', port));
      expect(verdicts()).toEqual(['deny', 'allow', 'deny']);
      world.learned('x/a', '192.0.2.9', ['www.example.com', 'other.example']);
      expect(verdicts()).toEqual(['allow', 'allow', 'deny']);
    });

    test('an expired address is closed to new flows, and one that is forgotten to all', () => {
      const world = told().policies(only('www.example.com'));
      world.learned('x/a', '192.0.2.9', ['www.example.com'], true);
      expect(world.verdict('x/a', '192.0.2.9')).toBe('deny');
      expect(world.compiler.tables.learned.size).toBe(1);
      world.learned('x/a', '192.0.2.9', []);
      expect(world.compiler.tables.learned.size).toBe(0);
    });

    test('what was learned counts for a document that comes later, and goes with it', () => {
      const world = told().policies(only('other.example'));
      expect(world.verdict('x/a', '192.0.2.9')).toBe('deny');
      world.policies(only('other.example, "*.example.com"'));
      expect(world.verdict('x/a', '192.0.2.9')).toBe('allow');
      expect(world.compiler.domainsOf(world.number('x/a'))).toEqual(['*.example.com', 'other.example']);
      world.policies(isolate);
      expect(world.compiler.domainsOf(world.number('x/a'))).toEqual([]);
      expect(world.compiler.tables.learned.size).toBe(0);
    });

    test('an address of the same names and blocks is nobody new', () => {
      const world = told().policies(only('"*.example.com"'));
      world.compiler.takeChanges();
      world.learned('x/b', '192.0.2.10', ['api.example.com']);
      const { pairs, standings, learned } = world.compiler.takeChanges();
      expect([pairs.length, standings.size, learned.size]).toEqual([0, 0, 1]);
    });
  });
});

describe('audit', () => {
  const auditedIsolation = np('{podSelector: {}}', 'name: later, namespace: x, labels: {vetch.io/enforcement: audit}');

  test('what a document under audit would deny passes, and names it', () => {
    const world = six().policies(auditedIsolation);
    expect(world.verdict('y/a', 'x/a')).toBe('audit');
    expect(world.explain('y/a', 'x/a', '80/tcp')).toMatchObject({
      verdict: 'allow',
      audit: true,
      decidedBy: { kind: 'NetworkPolicy', namespace: 'x', name: 'later', rule: null },
    });
  });

  test.each<[string, string, string]>([
    ['what is denied anyhow stays denied', isolate + auditedIsolation, 'deny'],
    [
      'a document under audit allows nothing',
      isolate +
        np('{podSelector: {}, ingress: [{}]}', 'name: later, namespace: x, labels: {vetch.io/enforcement: audit}'),
      'deny',
    ],
    [
      'what an audited isolation would let through is no event',
      np('{podSelector: {}, ingress: [{}]}', 'name: later, namespace: x, labels: {vetch.io/enforcement: audit}'),
      'allow',
    ],
    [
      'an audited acceptance does not spare what is denied',
      cnp({ audit: true, ingress: `[${rule('Accept', any)}]` }) + isolate,
      'deny',
    ],
    [
      'an audited acceptance before an audited denial is no event',
      cnp({ name: 'a', priority: 1, audit: true, ingress: `[${rule('Accept', any)}]` }) +
        cnp({ name: 'b', priority: 2, audit: true, ingress: `[${rule('Deny', any)}]` }),
      'allow',
    ],
    [
      'an audited denial after an enforced acceptance is no event',
      cnp({ name: 'a', priority: 1, ingress: `[${rule('Accept', any)}]` }) +
        cnp({ name: 'b', priority: 2, audit: true, ingress: `[${rule('Deny', any)}]` }),
      'allow',
    ],
    [
      'an audited denial before an enforced acceptance',
      cnp({ name: 'a', priority: 2, ingress: `[${rule('Accept', any)}]` }) +
        cnp({ name: 'b', priority: 1, audit: true, ingress: `[${rule('Deny', any)}]` }),
      'audit',
    ],
  ])('%s', (_, yaml, expected) => expect(verdict(yaml)).toBe(expected));

  test('an audited Pass is named when it would have handed on to a denial', () => {
    const yaml =
      cnp({ name: 'first', priority: 1, audit: true, ingress: `[${rule('Pass', any)}]` }) +
      cnp({ name: 'second', priority: 2, ingress: `[${rule('Accept', any)}]` }) +
      isolate;
    expect(six().policies(yaml).explain('y/a', 'x/a', '80/tcp')).toMatchObject({
      audit: true,
      decidedBy: { name: 'first', rule: 0 },
    });
  });
});
