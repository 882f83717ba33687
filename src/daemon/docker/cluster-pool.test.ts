import { expect, test } from 'vitest';
import { planned } from '../../network/testing.ts';
import { poolOfCluster, theGateway } from './cluster-pool.ts';

const app = planned({ name: 'app', driver: 'overlay', subnets: ['10.100.0.0/24'], ipRange: '10.100.0.128/25' });
const both = planned({ name: 'both', driver: 'overlay', subnets: ['10.101.0.0/24', 'fd00:100::/64'] });
const own = planned({ name: 'own', subnets: ['10.1.0.0/16'] });
const networks = { networkNamed: (name: string) => [app, both, own].find((network) => network.name === name) };
const ask = (wish: object) => poolOfCluster({ ipv6: false, network: 'app', ...wish }, networks);

test("a network's IPv4 subnet is named by the engine, or hidden from it: it has a route there", () => {
  expect(ask({ pool: '10.100.0.0/24' })).toEqual({ cidr: '10.100.0.0/24' });
  expect(ask({ pool: '10.100.0.0/24', subPool: '10.100.0.128/25' })).toEqual({ cidr: '10.100.0.0/24' });
  expect(ask({})).toEqual({ cidr: '10.100.0.0/24', told: '0.0.0.0/0' });
});

test('an IPv6 subnet is told to an engine that does not name it', () => {
  expect(ask({ network: 'both', ipv6: true })).toEqual({ cidr: 'fd00:100::/64' });
  expect(ask({ network: 'both' })).toMatchObject({ told: '0.0.0.0/0' });
});

test('a network that is not there yet, and one of no cluster, has none', () => {
  expect(ask({ network: 'new' })).toBeUndefined();
  expect(poolOfCluster({ ipv6: false }, networks)).toBeUndefined();
});

test.each<[string, object, RegExp]>([
  ['another subnet', { pool: '10.9.0.0/24' }, /has 10\.100\.0\.0\/24, not 10\.9/],
  ['another range', { pool: '10.100.0.0/24', subPool: '10.100.0.0/25' }, /has the range 10\.100\.0\.128\/25/],
  ['another family', { ipv6: true }, /has no IPv6 subnet/],
  ["a network of this host's own", { network: 'own' }, /of driver bridge, and this host's own/],
])('%s is refused', (_what, wish, words) => {
  expect(() => ask(wish)).toThrow(words);
});

test("the gateway is the network's", () => {
  const [subnet] = app.subnets;
  if (!subnet) throw new Error('no subnet');
  expect(theGateway(app, subnet, undefined)).toBe(subnet.gateway);
  expect(() => theGateway(app, subnet, '10.100.0.9')).toThrow(/has the gateway 10\.100\.0/);
});
