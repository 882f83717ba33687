import { describe, expect, test } from 'vitest';
import { VetchError } from '../../api/error.ts';
import { parsePolicies } from './parse.ts';

const np = (spec: string, metadata = 'name: web') =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {${metadata}}\nspec:\n${spec}\n`;
const head = 'tier: Admin, priority: 1, subject: {namespaces: {}}';
const cnp = (rest: string, first = head, metadata = 'name: c') =>
  `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {${metadata}}\nspec: {${first}, ${rest}}\n`;
const port = (text: string) => np(`  ingress:\n  - ports:\n    - ${text}`);
const subject = (text: string) => np(`  podSelector:\n    ${text}`);
const egress = (text: string) => cnp(`egress: [{action: Accept, ${text}}]`);
const kinds = 'give NetworkPolicy of networking.k8s.io/v1 or ClusterNetworkPolicy of policy.networking.k8s.io/v1alpha2';

const failure = (text: string): string => {
  try {
    parsePolicies(text, 'p.yaml');
  } catch (error) {
    if (error instanceof VetchError) return `${error.code}: ${error.message}; ${error.hint}`;
    throw error;
  }
  return 'was accepted';
};

describe('is refused with its line, path and remedy:', () => {
  test.each([
    [
      'text that is not YAML',
      'a: [',
      'INVALID: p.yaml:1: this is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]; correct it there',
    ],
    [
      'a key that is there twice',
      'a: 1\na: 2',
      'INVALID: p.yaml:2: this is not YAML: Map keys must be unique; correct it there',
    ],
    ['a tag', '!thing {a: 1}', 'INVALID: p.yaml:1: this is not YAML: Unresolved tag: !thing; correct it there'],
    [
      'an input without a document',
      '# nothing\n',
      'INVALID: p.yaml: there is no document in it; give at least one policy document',
    ],
    ['a list', '- 1', `INVALID: p.yaml:1: this is not a document; ${kinds}`],
    ['an unknown kind', 'apiVersion: v1\nkind: Pod', `INVALID: p.yaml:2: kind: "Pod" is no kind of policy; ${kinds}`],
    ['a document without a kind', 'apiVersion: networking.k8s.io/v1', `INVALID: p.yaml:1: kind: is missing; ${kinds}`],
    ['a document without a version', 'kind: NetworkPolicy', `INVALID: p.yaml:1: apiVersion: is missing; ${kinds}`],
    [
      'an unknown version',
      'kind: NetworkPolicy\napiVersion: extensions/v1beta1',
      `INVALID: p.yaml:2: apiVersion: "extensions/v1beta1" has no NetworkPolicy here; ${kinds}`,
    ],
    [
      'an admin policy of an older version',
      'kind: AdminNetworkPolicy\napiVersion: policy.networking.k8s.io/v1alpha1',
      `INVALID: p.yaml:1: kind: "AdminNetworkPolicy" is no kind of policy; ${kinds}`,
    ],
    [
      'a document without metadata',
      'kind: NetworkPolicy\napiVersion: networking.k8s.io/v1',
      'INVALID: p.yaml:1: metadata: is missing; write a mapping there, as {name: allow-web}',
    ],
    [
      'a document without a spec',
      'kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nmetadata: {name: web}',
      'INVALID: p.yaml:1: spec: is missing; write a mapping there, as {podSelector: {}}',
    ],
    [
      'a second field of that name beside a known one',
      `${np('  podSelector: {}')}data: {}\n`,
      'INVALID: p.yaml:6: data: there is no such field; correct its name, or leave it out',
    ],
    [
      'an unknown field',
      np('  podSelector: {}\n  ingres: []'),
      'INVALID: p.yaml:6: spec.ingres: there is no such field; correct its name, or leave it out',
    ],
    [
      'an unknown field of a peer',
      np('  ingress:\n  - from:\n    - podSelector: {}\n      serviceAccounts: {}'),
      'INVALID: p.yaml:8: spec.ingress[0].from[0].serviceAccounts: there is no such field; correct its name, or leave it out',
    ],
    [
      'an except outside of its CIDR',
      np('  ingress:\n  - from:\n    - ipBlock:\n        cidr: 10.0.0.0/8\n        except: [10.1.0.0/16, 11.0.0.0/8]'),
      'INVALID: p.yaml:9: spec.ingress[0].from[0].ipBlock.except[1]: 11.0.0.0/8 is not inside of 10.0.0.0/8; except only what is a part of the cidr',
    ],
    [
      'an except as wide as its CIDR',
      np('  ingress:\n  - from:\n    - ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0].ipBlock.except[0]: 10.0.0.0/8 is not inside of 10.0.0.0/8; except only what is a part of the cidr',
    ],
    [
      'an except of the other family',
      np('  ingress:\n  - from:\n    - ipBlock: {cidr: "::/0", except: [10.0.0.0/8]}'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0].ipBlock.except[0]: 10.0.0.0/8 is not inside of ::/0; except only what is a part of the cidr',
    ],
    [
      'a prefix that is too long',
      np('  ingress:\n  - from:\n    - ipBlock: {cidr: 10.0.0.0/40}'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.0/40" is not a prefix; write it as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'an address in place of a prefix',
      np('  ingress:\n  - from:\n    - ipBlock: {cidr: 10.0.0.1}'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0].ipBlock.cidr: "10.0.0.1" is not a prefix; write it as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'an ipBlock beside a selector',
      np('  ingress:\n  - from:\n    - {ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0].ipBlock: an ipBlock stands alone; make two peers of it',
    ],
    [
      'a peer without anything',
      np('  ingress:\n  - from:\n    - {}'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0]: names no peer; give podSelector, namespaceSelector or ipBlock',
    ],
    [
      'a selector that was left empty',
      np('  ingress:\n  - from:\n    - podSelector:'),
      'INVALID: p.yaml:7: spec.ingress[0].from[0].podSelector: must be a label selector; write it as {matchLabels: {app: web}}, or {} for all',
    ],
    [
      'a list that was left empty',
      np('  ingress:'),
      'INVALID: p.yaml:5: spec.ingress: must be a list; write it as [{}]',
    ],
    [
      'a port out of range',
      port('port: 70000'),
      'INVALID: p.yaml:7: spec.ingress[0].ports[0].port: 70000 is no port; write 1 to 65535',
    ],
    ['port 0', port('port: 0'), 'INVALID: p.yaml:7: spec.ingress[0].ports[0].port: 0 is no port; write 1 to 65535'],
    [
      'a port in quotes',
      port('port: "80"'),
      'INVALID: p.yaml:7: spec.ingress[0].ports[0].port: "80" is not the name of a port; use at most 15 of a-z, 0-9 and "-", with a letter, or write a number without quotes',
    ],
    [
      'a port that is neither number nor name',
      port('port: true'),
      'INVALID: p.yaml:7: spec.ingress[0].ports[0].port: must be a port number; write it as 80',
    ],
    [
      'an endPort below its port',
      port('port: 80\n      endPort: 70'),
      'INVALID: p.yaml:8: spec.ingress[0].ports[0].endPort: 70 is less than port 80; write the higher one there',
    ],
    [
      'an endPort after a named port',
      port('port: http\n      endPort: 70'),
      'INVALID: p.yaml:8: spec.ingress[0].ports[0].endPort: a named port has no range; give the first port as a number in port',
    ],
    [
      'an endPort without a port',
      port('endPort: 70'),
      'INVALID: p.yaml:7: spec.ingress[0].ports[0].endPort: a range needs its first port; give the first port as a number in port',
    ],
    [
      'a protocol in lower case',
      port('protocol: tcp'),
      'INVALID: p.yaml:7: spec.ingress[0].ports[0].protocol: "tcp" is not a protocol; use TCP, UDP or SCTP',
    ],
    [
      'a bad label key',
      subject('matchLabels: {a b: c}'),
      'INVALID: p.yaml:6: spec.podSelector.matchLabels["a b"]: "a b" is not a label key; write it as app or example.com/app',
    ],
    [
      'a bad prefix of a label key',
      subject('matchLabels: {Example.com/a: c}'),
      'INVALID: p.yaml:6: spec.podSelector.matchLabels["Example.com/a"]: "Example.com/a" is not a label key; write it as app or example.com/app',
    ],
    [
      'a label value that is a number',
      subject('matchLabels: {a: 1}'),
      'INVALID: p.yaml:6: spec.podSelector.matchLabels.a: must be text; write it as "1", in quotes',
    ],
    [
      'a bad label value',
      subject('matchLabels: {a: "x y"}'),
      'INVALID: p.yaml:6: spec.podSelector.matchLabels.a: "x y" is not a label value; use at most 63 letters, digits, "-", "_" and ".", a letter or digit first and last',
    ],
    [
      'a bad operator',
      subject('matchExpressions:\n    - key: a\n      operator: Equals'),
      'INVALID: p.yaml:8: spec.podSelector.matchExpressions[0].operator: "Equals" is not an operator; use In, NotIn, Exists or DoesNotExist',
    ],
    [
      'an operator without its values',
      subject('matchExpressions:\n    - {key: a, operator: In}'),
      'INVALID: p.yaml:7: spec.podSelector.matchExpressions[0].values: In needs a value; give at least one',
    ],
    [
      'an operator with values that it does not take',
      subject('matchExpressions:\n    - {key: a, operator: Exists, values: [b]}'),
      'INVALID: p.yaml:7: spec.podSelector.matchExpressions[0].values: Exists takes no values; leave them out, or use In or NotIn',
    ],
    [
      'an expression with a bad value',
      subject('matchExpressions:\n    - {key: a, operator: NotIn, values: [b, "-"]}'),
      'INVALID: p.yaml:7: spec.podSelector.matchExpressions[0].values[1]: "-" is not a label value; use at most 63 letters, digits, "-", "_" and ".", a letter or digit first and last',
    ],
    [
      'an expression without a key',
      subject('matchExpressions:\n    - {operator: Exists}'),
      'INVALID: p.yaml:7: spec.podSelector.matchExpressions[0].key: is missing; write text there, as app',
    ],
    [
      'an unknown policy type',
      np('  policyTypes: [In]'),
      'INVALID: p.yaml:5: spec.policyTypes[0]: "In" is not a policy type; use Ingress or Egress',
    ],
    [
      'three policy types',
      np('  policyTypes: [Ingress, Egress, Ingress]'),
      'INVALID: p.yaml:5: spec.policyTypes: there are two policy types; use Ingress and Egress',
    ],
    [
      'a document without a name',
      np('  podSelector: {}', 'namespace: shop'),
      'INVALID: p.yaml:3: metadata.name: is missing; write a name there, as allow-web',
    ],
    [
      'a bad name',
      np('  podSelector: {}', 'name: Web'),
      'INVALID: p.yaml:3: metadata.name: "Web" is not a name; use lower-case letters, digits, "-" and ".", a letter or digit first and last, at most 253',
    ],
    [
      'a bad namespace',
      np('  podSelector: {}', 'name: web, namespace: a b'),
      'INVALID: p.yaml:3: metadata.namespace: "a b" is not a namespace; use letters, digits, "_", "." and "-", a letter or digit first, at most 128',
    ],
    [
      'an unknown enforcement',
      np('  podSelector: {}', 'name: web, annotations: {vetch.io/enforcement: off}'),
      'INVALID: p.yaml:3: metadata.annotations["vetch.io/enforcement"]: "off" is no enforcement; use audit, or enforce',
    ],
    [
      'an unknown enforcement in a label',
      np('  podSelector: {}', 'name: web, labels: {vetch.io/enforcement: "no"}'),
      'INVALID: p.yaml:3: metadata.labels["vetch.io/enforcement"]: "no" is no enforcement; use audit, or enforce',
    ],
    [
      'an owner, which is nobody here',
      np('  podSelector: {}', 'name: web, ownerReferences: []'),
      'INVALID: p.yaml:3: metadata.ownerReferences: there is no such field; correct its name, or leave it out',
    ],
    [
      'a document that is there twice',
      `${np('  podSelector: {}')}---\n${np('  podSelector: {}')}`,
      'INVALID: p.yaml:9: metadata.name: NetworkPolicy default/web is there twice, first in line 3; leave one of them out',
    ],
    [
      "a namespace of a cluster's document",
      cnp('ingress: []', head, 'name: c, namespace: shop'),
      'INVALID: p.yaml:3: metadata.namespace: a ClusterNetworkPolicy has no namespace; leave it out',
    ],
    [
      'an unknown tier',
      cnp('ingress: []', 'tier: Middle, priority: 1, subject: {namespaces: {}}'),
      'INVALID: p.yaml:4: spec.tier: "Middle" is not a tier; use Admin or Baseline',
    ],
    [
      'a priority out of range',
      cnp('ingress: []', 'tier: Admin, priority: 1001, subject: {namespaces: {}}'),
      'INVALID: p.yaml:4: spec.priority: 1001 is no priority; write 0 to 1000',
    ],
    [
      'a priority below 0',
      cnp('ingress: []', 'tier: Admin, priority: -1, subject: {namespaces: {}}'),
      'INVALID: p.yaml:4: spec.priority: -1 is no priority; write 0 to 1000',
    ],
    [
      'a document without a priority',
      cnp('ingress: []', 'tier: Admin, subject: {namespaces: {}}'),
      'INVALID: p.yaml:4: spec.priority: is missing; write a priority there, as 100',
    ],
    [
      'a subject without anything',
      cnp('ingress: []', 'tier: Admin, priority: 1, subject: {}'),
      'INVALID: p.yaml:4: spec.subject: names none of namespaces and pods; give one',
    ],
    [
      'a subject that says two things',
      cnp('ingress: []', 'tier: Admin, priority: 1, subject: {namespaces: {}, pods: {podSelector: {}}}'),
      'INVALID: p.yaml:4: spec.subject: names more than one of namespaces and pods; give one',
    ],
    [
      "a subject's pods without a selector",
      cnp('ingress: []', 'tier: Admin, priority: 1, subject: {pods: {}}'),
      'INVALID: p.yaml:4: spec.subject.pods.podSelector: is missing; write a label selector there, as {matchLabels: {app: web}}, or {} for all',
    ],
    [
      'an unknown action',
      cnp('ingress: [{action: Allow, from: [{namespaces: {}}]}]'),
      'INVALID: p.yaml:4: spec.ingress[0].action: "Allow" is not an action; use Accept, Deny or Pass',
    ],
    [
      'a rule without peers',
      cnp('ingress: [{action: Accept}]'),
      'INVALID: p.yaml:4: spec.ingress[0].from: is missing; write a list there, as [{namespaces: {}}]',
    ],
    [
      'a rule with an empty list of peers',
      cnp('ingress: [{action: Accept, from: []}]'),
      'INVALID: p.yaml:4: spec.ingress[0].from: is empty; give at least one item',
    ],
    [
      'networks as a source',
      cnp('ingress: [{action: Accept, from: [{networks: [10.0.0.0/8]}]}]'),
      'INVALID: p.yaml:4: spec.ingress[0].from[0].networks: there is no such field; correct its name, or leave it out',
    ],
    [
      'too many rules',
      cnp(`ingress: [${Array(26).fill('{action: Deny, from: [{namespaces: {}}]}').join(', ')}]`),
      'INVALID: p.yaml:4: spec.ingress: has more than 25 rules; make several documents of it',
    ],
    [
      "a rule's name that is too long",
      cnp(`ingress: [{name: ${'a'.repeat(101)}, action: Deny, from: [{namespaces: {}}]}]`),
      'INVALID: p.yaml:4: spec.ingress[0].name: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is too long; use at most 100 characters',
    ],
    [
      'a domain name that is denied',
      cnp('egress: [{action: Deny, to: [{domainNames: [example.com]}]}]'),
      'INVALID: p.yaml:4: spec.egress[0].to[0].domainNames: domain names can only be accepted; accept the names, and deny the rest by a rule after it',
    ],
    [
      'a domain name with a star inside',
      egress('to: [{domainNames: ["a.*.example.com"]}]'),
      'INVALID: p.yaml:4: spec.egress[0].to[0].domainNames[0]: "a.*.example.com" is not a domain name; write it as example.com, or *.example.com for all below it',
    ],
    [
      'a domain name of one label',
      egress('to: [{domainNames: [localhost]}]'),
      'INVALID: p.yaml:4: spec.egress[0].to[0].domainNames[0]: "localhost" is not a domain name; write it as example.com, or *.example.com for all below it',
    ],
    [
      'a label that a node does not have',
      egress('to: [{nodes: {matchLabels: {zone: a}}}]'),
      'UNSUPPORTED: p.yaml:4: spec.egress[0].to[0].nodes.matchLabels.zone: a node has no label zone here; select by kubernetes.io/hostname, or all nodes by {}',
    ],
    [
      'an expression on a label that a node does not have',
      egress('to: [{nodes: {matchExpressions: [{key: zone, operator: Exists}]}}]'),
      'UNSUPPORTED: p.yaml:4: spec.egress[0].to[0].nodes.matchExpressions[0].key: a node has no label zone here; select by kubernetes.io/hostname, or all nodes by {}',
    ],
    [
      'a network that is there twice',
      egress('to: [{networks: [10.0.0.0/8, 10.0.0.0/8]}]'),
      'INVALID: p.yaml:4: spec.egress[0].to[0].networks[1]: 10.0.0.0/8 is there twice; leave one of them out',
    ],
    [
      'a named port of a network',
      egress('to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: http}]'),
      'INVALID: p.yaml:4: spec.egress[0].protocols[0].destinationNamedPort: nodes, networks and domain names have no named ports; give the port as a number',
    ],
    [
      'a range that ends where it begins',
      egress('to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {range: {start: 9, end: 9}}}}]'),
      'INVALID: p.yaml:4: spec.egress[0].protocols[0].tcp.destinationPort.range.end: 9 is not more than start 9; write the higher one there',
    ],
    [
      "a port number of a cluster's rule out of range",
      egress('to: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: 65536}}}]'),
      'INVALID: p.yaml:4: spec.egress[0].protocols[0].tcp.destinationPort.number: 65536 is no port; write 1 to 65535',
    ],
    [
      'a protocol without a port',
      egress('to: [{namespaces: {}}], protocols: [{tcp: {}}]'),
      'INVALID: p.yaml:4: spec.egress[0].protocols[0].tcp.destinationPort: is missing; write a mapping there, as {number: 80}',
    ],
    [
      'a protocol that is none',
      egress('to: [{namespaces: {}}], protocols: [{}]'),
      'INVALID: p.yaml:4: spec.egress[0].protocols[0]: names none of tcp, udp, sctp and destinationNamedPort; give one',
    ],
    [
      'a protocol of a later version',
      egress('to: [{namespaces: {}}], protocols: [{icmp: {}}]'),
      'INVALID: p.yaml:4: spec.egress[0].protocols[0].icmp: there is no such field; correct its name, or leave it out',
    ],
  ])('%s', (_, text, expected) => expect(failure(text)).toBe(expected));
});

describe('is accepted:', () => {
  test('an empty document between others', () => {
    expect(parsePolicies(`---\n${np('  podSelector: {}')}---\n# nothing\n---\n`, 'p.yaml')).toHaveLength(1);
  });

  test('JSON', () => {
    const json = JSON.stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { podSelector: {} },
    });
    expect(parsePolicies(json, 'p.json')).toMatchObject([{ kind: 'NetworkPolicy', namespace: 'shop', name: 'web' }]);
  });

  test('what a Kubernetes server writes into metadata and status, which is left out', () => {
    const written =
      'name: web, uid: 1-2, resourceVersion: "7", generation: 1, creationTimestamp: null, managedFields: []';
    expect(parsePolicies(`${np('  podSelector: {}', written)}status: {}\n`, 'p.yaml')).toEqual([
      {
        kind: 'NetworkPolicy',
        namespace: 'default',
        name: 'web',
        labels: {},
        annotations: {},
        spec: { podSelector: {} },
      },
    ]);
  });

  test('a spec as it was written, with nothing added', () => {
    const text = cnp(
      'egress: [{name: dns, action: Pass, to: [{networks: [10.0.0.1/8]}], protocols: [{udp: {destinationPort: {number: 53}}}]}]',
    );
    expect(parsePolicies(text, 'p.yaml')).toEqual([
      {
        kind: 'ClusterNetworkPolicy',
        namespace: '',
        name: 'c',
        labels: {},
        annotations: {},
        spec: {
          tier: 'Admin',
          priority: 1,
          subject: { namespaces: {} },
          egress: [
            {
              name: 'dns',
              action: 'Pass',
              to: [{ networks: ['10.0.0.1/8'] }],
              protocols: [{ udp: { destinationPort: { number: 53 } } }],
            },
          ],
        },
      },
    ]);
  });

  test('domain names, of which compiling is another matter', () => {
    expect(parsePolicies(egress('to: [{domainNames: ["*.example.com", kubernetes.io.]}]'), 'p.yaml')).toHaveLength(1);
  });

  test('labels that Vetch adds, whose values Kubernetes would not allow', () => {
    const text = subject('matchLabels: {vetch.io/image: "registry.example.com:5000/shop/web:1.2@sha256:00"}');
    expect(parsePolicies(text, 'p.yaml')).toHaveLength(1);
  });

  test('two documents of one name in different namespaces, or of different kinds', () => {
    const one = np('  podSelector: {}', 'name: c, namespace: a');
    const other = np('  podSelector: {}', 'name: c, namespace: b');
    expect(parsePolicies([one, other, cnp('ingress: []')].join('---\n'), 'p.yaml')).toHaveLength(3);
  });

  test('an alias', () => {
    const text = np('  podSelector: &web {matchLabels: {app: web}}\n  ingress: [{from: [{podSelector: *web}]}]');
    expect(parsePolicies(text, 'p.yaml')).toMatchObject([
      { spec: { ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }] } },
    ]);
  });
});
