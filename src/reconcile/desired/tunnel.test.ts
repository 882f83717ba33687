import { describe, expect, test } from 'vitest';
import { aLink, anAddress, hostFacts } from '../testing.ts';
import { tunnelAddress, tunnelOf } from './tunnel.ts';

const links = [
  aLink(1, 'lo', { loopback: true }),
  aLink(2, 'eth0'),
  aLink(3, 'eth1', { mtu: 9000 }),
  aLink(4, 'docker0'),
];

describe('where other hosts tunnel to', () => {
  test('is the first IPv4 address of the uplink with the default route', () => {
    const addresses = [
      ...[anAddress(2, '192.0.2.10'), anAddress(3, '2001:db8::1')],
      ...[anAddress(3, '198.51.100.2', { secondary: true }), anAddress(3, '198.51.100.1')],
    ];
    const facts = hostFacts({ links, addresses, defaultRoutes: [3] });
    expect([tunnelAddress(facts), tunnelOf(facts)?.mtu]).toEqual(['198.51.100.1', 8950]);
  });

  test('is on another uplink where that one has no IPv4, and of IPv6 where none has', () => {
    const facts = (...addresses: string[]) => {
      const placed = addresses.map((address, i) => anAddress(i + 2, address));
      return hostFacts({ links, addresses: placed, defaultRoutes: [3] });
    };
    expect(tunnelAddress(facts('192.0.2.10', '2001:db8::1'))).toBe('192.0.2.10');
    const six = facts('2001:db8::10', '2001:db8::1');
    expect([tunnelAddress(six), tunnelOf(six)?.mtu]).toEqual(['2001:db8::1', 8930]);
  });

  test('is nowhere on a host without uplinks that have addresses', () => {
    const addresses = [anAddress(4, '172.17.0.1'), anAddress(2, 'fe80::1', { global: false })];
    expect(tunnelAddress(hostFacts({ links, addresses }))).toBeUndefined();
  });
});
