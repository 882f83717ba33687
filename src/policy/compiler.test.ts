import { expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import { byKey, numbered, World } from './testing/world.ts';

const policy = (spec: string, name = 'p') =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: x}\nspec: ${spec}\n`;

test('an endpoint of a known kind compiles nothing', () => {
  const world = new World()
    .endpoint('x/a', { app: 'web' })
    .policies(policy('{podSelector: {matchLabels: {app: web}}}'));
  world.compiler.takeChanges();
  world.endpoint('x/b', { app: 'web', version: '2' });
  const changes = world.compiler.takeChanges();
  expect(changes).toEqual({
    ...{ standings: new Set([2]), blocks: new Set(), learned: new Set(), pairs: [], portSets: new Set() },
  });
  const { standings } = world.compiler.tables;
  expect(standings.get(2)).toEqual(standings.get(1));
});

test('replicas share an identity until a document tells them apart', () => {
  const world = new World().endpoint('x/a', { app: 'web', version: '1' }).endpoint('x/b', { app: 'web', version: '2' });
  const identities = () => [1, 2].map((number) => world.compiler.tables.standings.get(number)?.v4.identity);
  expect(identities()).toEqual([256, 256]);
  world.policies(policy('{podSelector: {matchLabels: {version: "2"}}}'));
  expect(identities()).toEqual([256, 257]);
  world.policies(policy('{podSelector: {matchLabels: {app: web}}}'));
  expect(identities()).toEqual([256, 256]);
});

test('an identity that is given up is not the next to be given out', () => {
  const world = new World().endpoint('x/a').endpoint('y/a');
  const identity = (ref: string) => world.compiler.tables.standings.get(world.number(ref))?.v4.identity;
  expect([identity('x/a'), identity('y/a')]).toEqual([256, 257]);
  world.remove('y/a').compiler.takeChanges();
  world.endpoint('z/a');
  expect(identity('z/a')).toBe(258);
});

test('an address has an identity of its own only where a block makes a difference', () => {
  const world = new World().endpoint('x/a').endpoint('x/b');
  world.policies(policy('{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.2/32}}]}]}'));
  const standings = [1, 2].map((number) => world.compiler.tables.standings.get(number));
  expect(standings[0]?.v4).toEqual(standings[0]?.v6);
  expect(standings[1]?.v6).toEqual(standings[0]?.v6);
  expect(standings[1]?.v4.identity).not.toBe(standings[1]?.v6.identity);
});

test("the host's addresses are in the table of blocks where a block holds them, and as the host's", () => {
  const world = new World().policies(
    policy('{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.168.0.0/16}}]}]}'),
  );
  expect([...world.compiler.tables.blocks.keys()].sort()).toEqual(['192.168.0.0/16', '192.168.0.1/32']);
  world.compiler.update({ hostAddresses: ['192.168.0.2', '172.16.0.1'] });
  expect([...world.compiler.tables.blocks.keys()].sort()).toEqual(['192.168.0.0/16', '192.168.0.2/32']);
});

test('a document that would not fit is refused whole with the numbers, and the old one stays', () => {
  const world = new World({ capacities: { pairs: 3, ports: 4, blocks: 2, documents: 2 } })
    .endpoint('x/a')
    .endpoint('x/b');
  world.policies(policy('{podSelector: {}, ingress: [{ports: [{port: 80}]}]}'));
  const refusal = (spec: string, name?: string): string => {
    try {
      world.compiler.update({ documents: byKey(numbered(policy(spec, name), 2)) });
    } catch (error) {
      if (error instanceof VetchError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'was accepted';
  };
  expect(refusal('{podSelector: {}, ingress: [{ports: [{port: 3, endPort: 65534}]}]}')).toBe(
    'MAP_FULL: policy would need 5 entries of ports, and 4 fit',
  );
  expect(refusal('{podSelector: {}, policyTypes: [Ingress, Egress]}')).toBe(
    'MAP_FULL: policy would need 4 pairs of subject and peer, and 3 fit',
  );
  expect(
    refusal(
      '{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.9.0.0/16, except: [10.9.1.0/24, 10.9.2.0/24]}}]}]}',
    ),
  ).toBe('MAP_FULL: policy would need 3 address blocks, and 2 fit');
  expect([world.verdict('x/a', 'x/b'), world.verdict('x/a', 'x/b', '81/tcp')]).toEqual(['allow', 'deny']);
  expect([...world.compiler.documents.values()].map(({ number }) => number)).toEqual([1]);
});

test('the endpoints that a document selects are known', () => {
  const world = new World().endpoint('x/a', { app: 'web' }).endpoint('x/b').endpoint('y/a', { app: 'web' });
  world.policies(policy('{podSelector: {matchLabels: {app: web}}}'));
  expect(world.compiler.selected('NetworkPolicy/x/p')).toEqual([1]);
});

test('an endpoint on another host is met here, and is nobody that decides here', () => {
  const world = new World()
    .endpoint('x/far', { app: 'web' }, { remote: true })
    .endpoint('y/far', {}, { remote: true })
    .endpoint('x/a', { app: 'web' });
  world.policies(policy('{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {}}]}]}'));
  const { standings, pairs } = world.compiler.tables;
  expect(standings.get(1)?.v4).toEqual({ identity: standings.get(3)?.v4.identity, flags: 0 });
  expect(world.compiler.selected('NetworkPolicy/x/p')).toEqual([3]);
  expect([world.verdict('x/far', 'x/a'), world.verdict('y/far', 'x/a'), world.verdict('y/far', 'x/far')]).toEqual([
    'allow',
    'deny',
    'allow',
  ]);
  // With the last of this host goes what it decided, and comes back with the next.
  const before = pairs.size;
  world.remove('x/a');
  expect([before > 0, world.compiler.tables.pairs.size]).toEqual([true, 0]);
  world.endpoint('x/b', { app: 'web' });
  expect([world.compiler.tables.pairs.size, world.verdict('y/far', 'x/b')]).toEqual([before, 'deny']);
});

test('ten thousand endpoints on other hosts of a known kind compile nothing', () => {
  const world = new World().endpoint('x/a').endpoint('x/far', {}, { remote: true });
  world.policies(policy('{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}'));
  world.compiler.takeChanges();
  const far = Array.from({ length: 10_000 }, (_, i) => i + 16_384);
  const endpoint = { name: 'far', network: 'x', driver: 'overlay', labels: {}, addresses: [], remote: true };
  world.compiler.update({ endpoints: new Map(far.map((number) => [number, { ...endpoint, number }])) });
  const { standings, pairs } = world.compiler.takeChanges();
  expect([standings.size, pairs]).toEqual([10_000, []]);
});
