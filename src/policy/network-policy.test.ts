import { describe, expect, test } from 'vitest';
import { World } from './testing/world.ts';

const all = ['x/a', 'x/b', 'x/c', 'y/a', 'y/b', 'y/c', 'z/a', 'z/b', 'z/c'];
const but = (...refs: string[]) => all.filter((ref) => !refs.includes(ref));

/** Three namespaces of three endpoints, 10.0.0.1 to .9. */
function nine(): World {
  const world = new World();
  for (const namespace of ['x', 'y', 'z']) {
    world.namespace(namespace, { ns: namespace });
    for (const name of ['a', 'b', 'c']) {
      world.endpoint(`${namespace}/${name}`, {
        'vetch.io/port.serve-80': '80/tcp',
        'vetch.io/port.serve-81': '81/udp',
      });
    }
  }
  return world;
}

let names = 0;
/** A NetworkPolicy of namespace x. */
function np(spec: string, metadata = `name: p${++names}, namespace: x`): string {
  return `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {${metadata}}\nspec: ${spec}\n---\n`;
}

/** Who reaches x/a under these documents, on TCP port 80 where no other is given. */
const reach = (yaml: string, port?: string) => nine().policies(yaml).reach('x/a', port);
/** Whom x/a reaches. */
const reached = (yaml: string, port?: string) => nine().policies(yaml).reached('x/a', port);
const ingress = (rules: string, subject = '{}') => np(`{podSelector: ${subject}, ingress: ${rules}}`);
const egress = (rules: string, subject = '{}') =>
  np(`{podSelector: ${subject}, policyTypes: [Egress], egress: ${rules}}`);

describe('NetworkPolicy between server and client', () => {
  test("should support a 'default-deny-ingress' policy", () => {
    expect(reach(np('{podSelector: {}}'))).toEqual([]);
    expect(reached(np('{podSelector: {}, policyTypes: [Ingress]}'))).toEqual(but('x/a', 'x/b', 'x/c'));
  });

  test("should support a 'default-deny-all' policy", () => {
    const yaml = np('{podSelector: {}, policyTypes: [Ingress, Egress]}');
    expect(reach(yaml)).toEqual([]);
    expect(reached(yaml)).toEqual([]);
    expect(nine().policies(yaml).reach('y/a')).toEqual(but('y/a', 'x/a', 'x/b', 'x/c'));
  });

  test('should enforce policy to allow traffic only from a specific namespace by name', () => {
    expect(reach(ingress('[{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: y}}}]}]'))).toEqual([
      'y/a',
      'y/b',
      'y/c',
    ]);
  });

  test('should enforce policy to allow traffic from pods within server namespace based on PodSelector', () => {
    expect(reach(ingress('[{from: [{podSelector: {matchLabels: {pod: c}}}]}]'))).toEqual(['x/c']);
  });

  test('should enforce policy based on NamespaceSelector with MatchExpressions', () => {
    const from = '{namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [x, z]}]}}';
    expect(reach(ingress(`[{from: [${from}]}]`))).toEqual(['y/a', 'y/b', 'y/c']);
  });

  test('should enforce policy based on PodSelector with MatchExpressions', () => {
    const from = '{podSelector: {matchExpressions: [{key: pod, operator: In, values: [c]}]}}';
    expect(reach(ingress(`[{from: [${from}]}]`))).toEqual(['x/c']);
  });

  test('should enforce policy based on PodSelector or NamespaceSelector', () => {
    const from = '[{podSelector: {matchLabels: {pod: b}}}, {namespaceSelector: {matchLabels: {ns: z}}}]';
    expect(reach(ingress(`[{from: ${from}}]`))).toEqual(['x/b', 'z/a', 'z/b', 'z/c']);
  });

  test('should enforce policy based on PodSelector and NamespaceSelector', () => {
    const from = '[{podSelector: {matchLabels: {pod: b}}, namespaceSelector: {matchLabels: {ns: y}}}]';
    expect(reach(ingress(`[{from: ${from}}]`))).toEqual(['y/b']);
  });

  test('should enforce policy based on Multiple PodSelectors and NamespaceSelectors', () => {
    const ns = 'namespaceSelector: {matchExpressions: [{key: ns, operator: NotIn, values: [x]}]}';
    const pod = 'podSelector: {matchExpressions: [{key: pod, operator: In, values: [b, c]}]}';
    expect(reach(ingress(`[{from: [{${ns}, ${pod}}]}]`))).toEqual(['y/b', 'y/c', 'z/b', 'z/c']);
  });

  test('should enforce policy based on any PodSelectors', () => {
    const from = '[{podSelector: {matchLabels: {pod: b}}}, {podSelector: {matchLabels: {pod: c}}}]';
    expect(reach(ingress(`[{from: ${from}}]`))).toEqual(['x/b', 'x/c']);
  });

  test('should enforce policy to allow traffic only from a pod in a different namespace based on both selectors', () => {
    const from = '[{podSelector: {matchLabels: {pod: a}}, namespaceSelector: {matchLabels: {ns: z}}}]';
    expect(reach(ingress(`[{from: ${from}}]`, '{matchLabels: {pod: a}}'))).toEqual(['z/a']);
  });

  test('should enforce policy based on Ports', () => {
    const yaml = ingress('[{from: [{namespaceSelector: {matchLabels: {ns: y}}}], ports: [{port: 81}]}]');
    expect(reach(yaml, '81/tcp')).toEqual(['y/a', 'y/b', 'y/c']);
    expect(reach(yaml, '80/tcp')).toEqual([]);
    expect(reach(yaml, '81/udp')).toEqual([]);
  });

  test('should enforce multiple, stacked policies with overlapping podSelectors', () => {
    const yaml = ingress('[{ports: [{port: 80}]}]') + ingress('[{ports: [{port: 81}]}]', '{matchLabels: {pod: a}}');
    expect(reach(yaml, '80/tcp')).toEqual(but('x/a'));
    expect(reach(yaml, '81/tcp')).toEqual(but('x/a'));
    expect(reach(yaml, '82/tcp')).toEqual([]);
  });

  test('should support allow-all policy', () => {
    expect(reach(ingress('[{}]'), '81/tcp')).toEqual(but('x/a'));
  });

  test('should allow ingress access on one named port', () => {
    const yaml = ingress('[{ports: [{port: serve-80}]}]');
    expect(reach(yaml, '80/tcp')).toEqual(but('x/a'));
    expect(reach(yaml, '81/tcp')).toEqual([]);
  });

  test('should allow ingress access from namespace on one named port', () => {
    const yaml = ingress('[{from: [{namespaceSelector: {matchLabels: {ns: y}}}], ports: [{port: serve-80}]}]');
    expect(reach(yaml, '80/tcp')).toEqual(['y/a', 'y/b', 'y/c']);
    expect(reach(yaml, '81/tcp')).toEqual([]);
  });

  test('should allow egress access on one named port', () => {
    const yaml = egress('[{ports: [{port: serve-80}]}]', '{matchLabels: {pod: a}}');
    expect(reached(yaml, '80/tcp')).toEqual(but('x/a'));
    expect(reached(yaml, '81/tcp')).toEqual([]);
    expect(nine().policies(yaml).verdict('x/a', 'world')).toBe('deny');
  });

  test('should enforce updated policy', () => {
    const world = nine().policies(ingress('[{}]'));
    expect(world.reach('x/a')).toEqual(but('x/a'));
    world.policies(np('{podSelector: {}}'));
    expect(world.reach('x/a')).toEqual([]);
  });

  test('should allow ingress access from updated namespace', () => {
    const world = nine().policies(ingress('[{from: [{namespaceSelector: {matchLabels: {ns2: updated}}}]}]'));
    expect(world.reach('x/a')).toEqual([]);
    world.namespace('y', { ns: 'y', ns2: 'updated' });
    expect(world.reach('x/a')).toEqual(['y/a', 'y/b', 'y/c']);
  });

  test('should allow ingress access from updated pod', () => {
    const world = nine().policies(
      ingress('[{from: [{podSelector: {matchExpressions: [{key: pod2, operator: Exists}]}}]}]'),
    );
    expect(world.reach('x/a')).toEqual([]);
    world.endpoint('x/b', { pod2: 'updated' });
    expect(world.reach('x/a')).toEqual(['x/b']);
  });

  test('should deny ingress from pods on other namespaces', () => {
    expect(reach(ingress('[{from: [{podSelector: {}}]}]'))).toEqual(['x/b', 'x/c']);
  });

  test('should deny ingress access to updated pod', () => {
    const world = nine().policies(np('{podSelector: {matchLabels: {target: isolated}}}'));
    expect(world.reach('x/a')).toEqual(but('x/a'));
    world.endpoint('x/a', { target: 'isolated' });
    expect(world.reach('x/a')).toEqual([]);
  });

  test('should deny egress from pods based on PodSelector', () => {
    expect(reached(egress('[]', '{matchLabels: {pod: a}}'))).toEqual([]);
    expect(nine().policies(egress('[]', '{matchLabels: {pod: a}}')).reached('x/b')).toEqual(but('x/b'));
  });

  test('should deny egress from all pods in a namespace', () => {
    const world = nine().policies(egress('[]'));
    expect(['x/a', 'x/b', 'x/c'].flatMap((ref) => world.reached(ref))).toEqual([]);
  });

  test('should work with Ingress, Egress specified together', () => {
    const yaml = np(`{podSelector: {matchLabels: {pod: a}}, policyTypes: [Ingress, Egress],
      ingress: [{from: [{namespaceSelector: {matchLabels: {ns: y}}}], ports: [{port: 80}]}],
      egress: [{to: [{namespaceSelector: {matchLabels: {ns: z}}}], ports: [{port: 81}]}]}`);
    expect(reach(yaml)).toEqual(['y/a', 'y/b', 'y/c']);
    expect(reached(yaml, '81/tcp')).toEqual(['z/a', 'z/b', 'z/c']);
    expect(reached(yaml, '80/tcp')).toEqual([]);
  });

  test('should support denying of egress traffic on the client side (even if the server explicitly allows this traffic)', () => {
    const server = np(
      '{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {ns: x}}}]}]}',
      'name: s, namespace: y',
    );
    const client = egress(
      '[{to: [{namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: a}}}]}]',
    );
    expect(reached(server + client)).toEqual(['y/a']);
  });

  test('should enforce egress policy allowing traffic to a server in a different namespace based on PodSelector and NamespaceSelector', () => {
    const to = '[{namespaceSelector: {matchLabels: {ns: y}}, podSelector: {matchLabels: {pod: a}}}]';
    expect(reached(egress(`[{to: ${to}}]`))).toEqual(['y/a']);
  });

  test('should enforce ingress policy allowing any port traffic to a server on a specific protocol', () => {
    const yaml = ingress('[{ports: [{protocol: UDP}]}]');
    expect(reach(yaml, '80/udp')).toEqual(but('x/a'));
    expect(reach(yaml, '0/udp')).toEqual(but('x/a'));
    expect(reach(yaml, '80/tcp')).toEqual([]);
  });

  test('should enforce multiple ingress policies with ingress allow-all policy taking precedence', () => {
    expect(reach(ingress('[{ports: [{port: 80}]}]') + ingress('[{}]'), '81/tcp')).toEqual(but('x/a'));
  });

  test('should enforce multiple egress policies with egress allow-all policy taking precedence', () => {
    expect(reached(egress('[{ports: [{port: 80}]}]') + egress('[{}]'), '81/tcp')).toEqual(but('x/a'));
  });

  test('should stop enforcing policies after they are deleted', () => {
    const world = nine().policies(np('{podSelector: {}, policyTypes: [Ingress, Egress]}'));
    world.compiler.update({ documents: new Map([...world.compiler.documents.keys()].map((key) => [key, undefined])) });
    expect(world.reach('x/a')).toEqual(but('x/a'));
    expect(world.compiler.tables.pairs.size).toBe(0);
    expect(world.compiler.tables.standings.get(1)).toEqual({
      v4: { identity: 256, flags: 0 },
      v6: { identity: 256, flags: 0 },
    });
  });

  test('should allow egress access to server in CIDR block', () => {
    const yaml = egress('[{to: [{ipBlock: {cidr: 10.0.0.5/32}}]}]');
    expect(reached(yaml)).toEqual(['y/b']);
    expect(nine().policies(yaml).verdict('x/a', 'y/b', '80/tcp', 6)).toBe('deny');
  });

  test('should enforce except clause while egress access to server in CIDR block', () => {
    const world = nine().policies(egress('[{to: [{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.5/32]}}]}]'));
    expect(world.reached('x/a')).toEqual(but('x/a', 'y/b'));
    expect(world.verdict('x/a', '10.0.0.77')).toBe('allow');
    expect(world.verdict('x/a', '10.0.1.77')).toBe('deny');
  });

  test('should ensure an IP overlapping both IPBlock.CIDR and IPBlock.Except is allowed', () => {
    const block = '{ipBlock: {cidr: 10.0.0.0/24, except: [10.0.0.5/32]}}';
    expect(reached(egress(`[{to: [${block}]}, {to: [{ipBlock: {cidr: 10.0.0.5/32}}]}]`))).toEqual(but('x/a'));
    expect(reached(egress(`[{to: [${block}]}]`) + egress('[{to: [{ipBlock: {cidr: 10.0.0.4/31}}]}]'))).toEqual(
      but('x/a'),
    );
  });

  test('should enforce policies to check ingress and egress policies can be controlled independently based on PodSelector', () => {
    const world = nine().policies(np('{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress], egress: []}'));
    expect(world.verdict('x/a', 'x/b')).toBe('deny');
    expect(world.verdict('x/b', 'x/a')).toBe('allow');
  });

  test("should not mistakenly treat 'protocol: SCTP' as 'protocol: TCP', even if the plugin doesn't support SCTP", () => {
    const yaml = ingress('[{ports: [{protocol: SCTP, port: 80}]}]');
    expect(reach(yaml, '80/tcp')).toEqual([]);
    expect(reach(yaml, '80/sctp')).toEqual(but('x/a'));
  });

  test("should properly isolate pods that are selected by a policy allowing SCTP, even if the plugin doesn't support SCTP", () => {
    expect(reach(ingress('[{ports: [{protocol: SCTP, port: 80}]}]', '{matchLabels: {pod: a}}'))).toEqual([]);
  });

  test('should not allow access by TCP when a policy specifies only UDP', () => {
    const yaml = ingress('[{ports: [{protocol: UDP, port: 80}]}]');
    expect(reach(yaml, '80/tcp')).toEqual([]);
    expect(reach(yaml, '80/udp')).toEqual(but('x/a'));
  });
});

describe('What the specification says besides', () => {
  test('a range holds its ends and what lies between, and nothing else', () => {
    const yaml = ingress('[{ports: [{port: 79, endPort: 8081}]}]');
    const world = nine().policies(yaml);
    const verdicts = ['78', '79', '80', '4096', '8081', '8082', '65535'].map((port) =>
      world.verdict('y/a', 'x/a', `${port}/tcp`),
    );
    expect(verdicts).toEqual(['deny', 'allow', 'allow', 'allow', 'allow', 'deny', 'deny']);
  });

  test('a rule with ports leaves ICMP blocked, a rule without them opens it', () => {
    expect(reach(ingress('[{ports: [{port: 80}]}]'), '1')).toEqual([]);
    expect(reach(ingress('[{}]'), '1')).toEqual(but('x/a'));
  });

  test('the type Egress follows from a rule of it, and not from an empty list', () => {
    expect(reached(np('{podSelector: {}, egress: []}'))).toEqual(but('x/a', 'x/b', 'x/c'));
    expect(reached(np('{podSelector: {}, egress: [{ports: [{port: 81}]}]}'))).toEqual([]);
    expect(reach(np('{podSelector: {}, egress: [{}]}'))).toEqual([]);
    expect(reach(np('{podSelector: {}, policyTypes: [], egress: [{}]}'))).toEqual([]);
    expect(reach(np('{podSelector: {}, policyTypes: [Egress], ingress: [], egress: [{}]}'))).toEqual(but('x/a'));
  });

  test('an empty list of peers or ports means any, an empty list of rules none', () => {
    expect(reach(ingress('[{from: [], ports: []}]'), '1')).toEqual(but('x/a'));
    expect(reach(ingress('[]'))).toEqual([]);
  });

  test('an empty selector of namespaces selects endpoints, and never the world', () => {
    const world = nine().policies(ingress('[{from: [{namespaceSelector: {}}]}]'));
    expect(world.reach('x/a')).toEqual(but('x/a'));
    expect(world.verdict('world', 'x/a')).toBe('deny');
  });

  test('the host that an endpoint is on always reaches it and is reached', () => {
    const world = nine().policies(np('{podSelector: {}, policyTypes: [Ingress, Egress]}'));
    expect([world.verdict('host', 'x/a'), world.verdict('x/a', 'host', '22/tcp', 6)]).toEqual(['allow', 'allow']);
    world.policies(egress('[{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [192.168.0.0/16]}}]}]'));
    expect([
      world.verdict('x/a', 'host'),
      world.verdict('x/a', '192.168.0.9'),
      world.verdict('x/a', '8.8.8.8'),
    ]).toEqual(['allow', 'deny', 'allow']);
  });

  test('a named port is that of the right protocol, and no other', () => {
    expect(reach(ingress('[{ports: [{protocol: TCP, port: serve-81}]}]'), '81/tcp')).toEqual([]);
    expect(reach(ingress('[{ports: [{protocol: TCP, port: serve-81}]}]'), '81/udp')).toEqual([]);
    expect(reach(ingress('[{ports: [{protocol: UDP, port: serve-81}]}]'), '81/udp')).toEqual(but('x/a'));
  });

  test("a named port of an egress rule is the peer's, whatever its number there", () => {
    const world = nine()
      .endpoint('y/a', { 'vetch.io/port.serve-80': '8080/tcp' })
      .policies(egress('[{ports: [{port: serve-80}, {port: 443}]}]'));
    expect(world.reached('x/a', '8080/tcp')).toEqual(['y/a']);
    expect(world.reached('x/a', '80/tcp')).toEqual(but('x/a', 'y/a'));
    expect(world.reached('x/a', '443/tcp')).toEqual(but('x/a'));
    expect([world.verdict('x/a', 'world', '443/tcp'), world.verdict('x/a', 'world', '80/tcp')]).toEqual([
      'allow',
      'deny',
    ]);
  });

  test('a block of one family says nothing about the other', () => {
    const v4 = nine().policies(ingress('[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]'));
    expect([v4.verdict('8.8.8.8', 'x/a'), v4.verdict('2001:db8::1', 'x/a', '80/tcp', 6)]).toEqual(['allow', 'deny']);
    const v6 = nine().policies(ingress('[{from: [{ipBlock: {cidr: "::/0"}}]}]'));
    expect([v6.verdict('8.8.8.8', 'x/a'), v6.verdict('2001:db8::1', 'x/a', '80/tcp', 6)]).toEqual(['deny', 'allow']);
    expect([v6.verdict('y/a', 'x/a'), v6.verdict('y/a', 'x/a', '80/tcp', 6)]).toEqual(['deny', 'allow']);
  });

  test('who decided is told: the rule, the document that isolates, or nobody', () => {
    const world = nine().policies(
      np('{podSelector: {}, ingress: [{ports: [{port: 81}]}, {ports: [{port: 80}]}]}', 'name: web, namespace: x'),
    );
    const web = { kind: 'NetworkPolicy', namespace: 'x', name: 'web' };
    expect(world.explain('y/a', 'x/a', '80/tcp')).toEqual({
      verdict: 'allow',
      decidedBy: { ...web, rule: 1 },
      audit: false,
      egress: { verdict: 'allow', decidedBy: null, audit: false },
      ingress: { verdict: 'allow', decidedBy: { ...web, rule: 1 }, audit: false },
    });
    expect(world.explain('y/a', 'x/a', '82/tcp')).toMatchObject({ verdict: 'deny', decidedBy: { ...web, rule: null } });
    expect(world.explain('x/a', 'y/a', '82/tcp')).toMatchObject({ verdict: 'allow', decidedBy: null });
  });

  test('an endpoint in the namespace of the host is selected only by who names its driver', () => {
    const world = nine().endpoint('x/h', {}, { driver: 'host', addresses: [] });
    world.policies(np('{podSelector: {}}'));
    expect(world.verdict('y/a', 'x/h')).toBe('allow');
    world.policies(np('{podSelector: {matchLabels: {vetch.io/driver: host}}}'));
    expect([world.verdict('y/a', 'x/h'), world.verdict('y/a', 'x/a')]).toEqual(['deny', 'allow']);
    world.policies(ingress('[{from: [{podSelector: {}}]}]'));
    expect([world.verdict('x/h', 'x/a'), world.verdict('x/b', 'x/a')]).toEqual(['deny', 'allow']);
    world.policies(
      ingress('[{from: [{podSelector: {matchExpressions: [{key: vetch.io/driver, operator: Exists}]}}]}]'),
    );
    expect([world.verdict('x/h', 'x/a'), world.verdict('x/b', 'x/a')]).toEqual(['allow', 'allow']);
  });

  test('a namespace is the label, else the compose project, else the network', () => {
    const project = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'web' };
    const world = nine()
      .endpoint('n/one', project)
      .endpoint('n/two', { ...project, 'vetch.io/namespace': 'other' })
      .endpoint('n/three');
    const denied = (namespace: string) => {
      world.policies(np('{podSelector: {}}', `name: d, namespace: ${namespace}`));
      return ['n/one', 'n/two', 'n/three'].filter((ref) => world.verdict('x/a', ref) === 'deny');
    };
    expect([denied('shop'), denied('other'), denied('n')]).toEqual([['n/one'], ['n/two'], ['n/three']]);
    world.policies(
      np('{podSelector: {matchLabels: {vetch.io/service: web, vetch.io/name: one}}}', 'name: d, namespace: shop'),
    );
    expect(world.verdict('x/a', 'n/one')).toBe('deny');
  });
});
