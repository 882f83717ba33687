import { expect, test } from 'vitest';
import { UplinkFlag, uplinkCodec } from '../../maps/generated/abi.ts';
import type { HostLink } from '../facts.ts';
import { straightUplinks } from './straight.ts';
import { uplinkEntries } from './uplinks.ts';

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

test('nothing leaves before the stack by an uplink whose program runs after a socket buffer was made', () => {
  const flagsWith = (mode?: string) => {
    const [eth0] = links.map((one) => (mode === undefined ? one : { ...one, xdp: { mode } }));
    const [entry] = uplinkEntries({ ...facts, uplink: ['eth0'], links: eth0 ? [eth0] : [] });
    return entry && uplinkCodec.decode(entry.value).flags;
  };
  expect(flagsWith()).toBe(UplinkFlag.XDP_TRANSMITS);
  expect(flagsWith('native')).toBe(UplinkFlag.XDP_TRANSMITS);
  expect(flagsWith('generic')).toBe(0);
});
