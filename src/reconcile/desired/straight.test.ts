import { expect, test } from 'vitest';
import type { HostLink } from '../facts.ts';
import { straightUplinks } from './straight.ts';

const link = { mtu: 1500, up: true, loopback: false, ethernet: true } as const;
const links: HostLink[] = [
  { ...link, ifindex: 2, name: 'eth0', xdpTransmits: true },
  { ...link, ifindex: 3, name: 'eth1' },
  { ...link, ifindex: 4, name: 'eth2', xdpTransmits: true },
];
const facts = {
  ...{ netnsCookie: 1n, links, addresses: [], defaultRoutes: [], localPorts: { first: 32_768, last: 60_999 } },
  ...{ ipsec: false, uplink: ['eth0', 'eth1'] },
};

const network = (options: Record<string, string>, driver = 'overlay') => ({
  ...{ id: 'a', name: 'app', number: 2048, driver, subnets: [], labels: {}, options },
});
const namesOf = (options: Record<string, string>, also: object = {}) => {
  const networks = new Map([['a', network(options)]]) as never;
  return straightUplinks({ networks }, { ...facts, ...also }).map(({ name }) => name);
};
const direct = { 'vetch.publish': 'cluster', 'vetch.publish.return': 'direct' };

test('packets leave before the stack by uplinks whose driver transmits, while a network is answered straight', () => {
  expect(namesOf(direct)).toEqual(['eth0']);
  expect(namesOf({ 'vetch.publish': 'cluster' })).toEqual([]);
  expect(namesOf({})).toEqual([]);
});

test('with IPsec everything is left to the stack', () => {
  expect(namesOf(direct, { ipsec: true })).toEqual([]);
});
