import { afterAll, beforeAll, expect, test } from 'vitest';
import { at, enterMounts, ThreeHosts } from './three-hosts.ts';

// The next hop of a route of IPv4 may be a neighbour of IPv6 (RFC 5549), as where BGP goes without addresses.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const [nearHop, farHop] = ['fe80::1:1', 'fe80::2:2'];

let hosts: ThreeHosts;

beforeAll(async () => {
  enterMounts();
  hosts = await ThreeHosts.create({ name: 'IPv4 past the device', prefix: '192.0.2.', uplinks: true });
  const { near, far } = hosts;
  near.ip(`address add ${nearHop}/64 dev uplink0 nodad`);
  far.ip(`address add ${farHop}/64 dev uplink0 nodad`);
  near.ip(`route add ${far.address} via inet6 ${farHop} dev uplink0`);
  far.ip(`route add ${near.address} via inet6 ${nearHop} dev uplink0`);
});
afterAll(() => hosts?.[Symbol.asyncDispose]());

test('all packets of a moment go to a next hop of IPv6, not the first alone', async () => {
  const { near, far } = hosts;
  const bytes = 4_000_000;
  await far.container('z').spawn('python3', `${programs}bulk.py`, 'pour', '5002', String(bytes)).until(/ready/);
  const args = [`${programs}bulk.py`, 'fetch', at('z', 4), '5002'];
  expect((await near.container('x').exec('python3', ...args)).stdout.trim()).toBe(String(bytes));
  const { stdout } = await near.exec('ip', '-json', 'neigh', 'show', 'dev', 'uplink0');
  const asked = (JSON.parse(stdout) as { dst: string }[]).map(({ dst }) => dst).filter((dst) => !dst.includes(':'));
  expect(asked).toEqual([]);
});
