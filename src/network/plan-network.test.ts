import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import type { CreateNetworkRequest } from '../api/schemas/network.ts';
import type { NetworkContext } from './plan-network.ts';
import { planned, refusal } from './testing.ts';

describe('a new network', () => {
  test('gets a free /16 with its first address as gateway, and the lowest free number', () => {
    const first = planned();
    expect(first).toMatchObject({
      number: 1,
      driver: 'bridge',
      owner: 'vetch',
      mtu: 1500,
      subnets: [{ cidr: '10.88.0.0/16', gateway: '10.88.0.1', aux: {} }],
    });
    expect(first.id).toMatch(/^[0-9a-f]{64}$/);
    const second = planned({ name: 'b' }, { networks: [first] });
    expect(second).toMatchObject({ number: 2, subnets: [{ cidr: '10.89.0.0/16' }] });
    expect(planned({ name: 'c' }, { networks: [second] })).toMatchObject({
      number: 1,
      subnets: [{ cidr: '10.88.0.0/16' }],
    });
  });

  test('gets default subnets that keep clear of host routes, shorter ones than /8 apart', () => {
    const hostRoutes = ['0.0.0.0/0', '0.0.0.0/1', '10.88.0.0/15', '10.91.3.0/24', '172.16.0.0/12', '::/0'];
    const context = { hostRoutes: hostRoutes.map((destination) => ({ destination })) };
    expect(planned({}, context).subnets[0]?.cidr).toBe('10.90.0.0/16');
    const all = { hostRoutes: [{ destination: '10.0.0.0/8' }, { destination: '172.16.0.0/12' }] };
    expect(planned({}, all).subnets[0]?.cidr).toBe('192.168.0.0/24');
  });

  test('with ipv6 gets a /64 of unique local addresses beside, the same /48 for one host', () => {
    const first = planned({ ipv6: true }, { seed: 'host a' });
    const [, v6] = first.subnets;
    expect(v6?.cidr).toMatch(/^fd[0-9a-f]{2}:.*::\/64$/);
    const second = planned({ name: 'b', ipv6: true }, { seed: 'host a', networks: [first] }).subnets[1]?.cidr ?? '';
    expect(second).not.toBe(v6?.cidr);
    expect(second.split(':').slice(0, 2)).toEqual(v6?.cidr.split(':').slice(0, 2));
    expect(planned({ ipv6: true }, { seed: 'host b' }).subnets[1]?.cidr).not.toBe(v6?.cidr);
  });

  test('is of IPv6 alone when only an IPv6 subnet is given, and of both with ipv6', () => {
    const subnets = ['FD00:88::/64'];
    expect(planned({ subnets }).subnets.map(({ cidr }) => cidr)).toEqual(['fd00:88::/64']);
    expect(planned({ subnets, ipv6: true }).subnets.map(({ cidr }) => cidr)).toEqual(['10.88.0.0/16', 'fd00:88::/64']);
  });

  test('keeps the gateways, range and auxiliary addresses that it is given, each in its subnet', () => {
    const network = planned({
      subnets: ['fd00:88::/64', '10.5.0.0/24'],
      gateways: ['10.5.0.254', 'fd00:88::ff'],
      ipRange: '10.5.0.64/26',
      auxAddresses: { dns: '10.5.0.2', six: 'fd00:88:0::2' },
    });
    expect(network.subnets).toEqual([
      { cidr: '10.5.0.0/24', gateway: '10.5.0.254', range: '10.5.0.64/26', aux: { dns: '10.5.0.2' } },
      { cidr: 'fd00:88::/64', gateway: 'fd00:88::ff', aux: { six: 'fd00:88::2' } },
    ]);
  });

  test('moves its default gateway out of the way of an auxiliary address', () => {
    const network = planned({ subnets: ['10.5.0.0/24'], auxAddresses: { router: '10.5.0.1' } });
    expect(network.subnets[0]?.gateway).toBe('10.5.0.2');
  });

  test("takes its MTU from the flag or from Docker's option", () => {
    expect(planned({ mtu: 9000 }).mtu).toBe(9000);
    expect(planned({ options: { 'com.docker.network.driver.mtu': '1400' } }).mtu).toBe(1400);
  });

  test('finds a subnet beside a thousand others', () => {
    const networks: NetworkContext['networks'] & object[] = [];
    const all = [...networks] as ReturnType<typeof planned>[];
    for (let i = 0; i < 1000; i++) all.push(planned({ name: `n${i}` }, { networks: all }));
    expect(new Set(all.map(({ subnets }) => subnets[0]?.cidr)).size).toBe(1000);
  });
});

describe('a network is refused', () => {
  const taken = planned({ name: 'taken', subnets: ['10.7.0.0/16'] });
  const hostRoutes = [{ destination: '192.168.7.0/24', device: 'eth0' }, { destination: '0.0.0.0/0' }];
  const cases: [string, Partial<CreateNetworkRequest>, string, RegExp][] = [
    ['with a malformed subnet', { subnets: ['10.1.0/16'] }, 'INVALID', /'10.1.0\/16' is not a subnet/],
    ['with a subnet that is no block', { subnets: ['10.1.0.5/16'] }, 'INVALID', /10\.1\.0\.5\/16 is not the beginning/],
    ['with a subnet of one address', { subnets: ['10.1.0.5/32'] }, 'INVALID', /10\.1\.0\.5\/32/],
    ['with loopback addresses', { subnets: ['127.8.0.0/16'] }, 'INVALID', /loopback/],
    ['with multicast addresses', { subnets: ['ff05::/64'] }, 'INVALID', /multicast/],
    ['with everything', { subnets: ['0.0.0.0/0'] }, 'INVALID', /0\.0\.0\.0\/0/],
    ['over another network', { subnets: ['10.0.0.0/8'] }, 'SUBNET_OVERLAP', /10\.7\.0\.0\/16 of network taken/],
    ['over a host route', { subnets: ['192.168.0.0/16'] }, 'SUBNET_OVERLAP', /route to 192\.168\.7\.0\/24 \(eth0\)/],
    ['with two IPv4 subnets', { subnets: ['10.1.0.0/16', '10.2.0.0/16'] }, 'INVALID', /both IPv4 subnets/],
    ['with two IPv6 subnets', { subnets: ['fd01::/64', 'fd02::/64'] }, 'INVALID', /both IPv6 subnets/],
    ['with a gateway outside', { subnets: ['10.1.0.0/16'], gateways: ['10.2.0.1'] }, 'INVALID', /gateway 10\.2\.0\.1/],
    ['with a gateway of a family it lacks', { gateways: ['fd00::1'] }, 'INVALID', /gateway fd00::1 is outside/],
    [
      'with the network address as gateway',
      { subnets: ['10.1.0.0/16'], gateways: ['10.1.0.0'] },
      'INVALID',
      /gateway 10\.1\.0\.0 .* network address/,
    ],
    [
      'with two gateways of one family',
      { subnets: ['10.1.0.0/16'], gateways: ['10.1.0.1', '10.1.0.2'] },
      'INVALID',
      /10\.1\.0\.1 and 10\.1\.0\.2/,
    ],
    [
      'with an auxiliary address as gateway',
      { subnets: ['10.1.0.0/16'], gateways: ['10.1.0.3'], auxAddresses: { dns: '10.1.0.3' } },
      'INVALID',
      /auxiliary address 'dns'/,
    ],
    ['with a range outside', { subnets: ['10.1.0.0/16'], ipRange: '10.2.0.0/24' }, 'INVALID', /ip-range 10\.2/],
    ['with a range around', { subnets: ['10.1.0.0/16'], ipRange: '10.0.0.0/8' }, 'INVALID', /ip-range 10\.0/],
    [
      'with a range of nothing but the gateway',
      { subnets: ['10.1.0.0/16'], ipRange: '10.1.0.1/32' },
      'INVALID',
      /10\.1\.0\.1\/32 has no address left/,
    ],
    ['with an auxiliary address outside', { auxAddresses: { dns: '8.8.8.8' } }, 'INVALID', /auxiliary address dns 8/],
    ['with a name that is taken', { name: 'taken' }, 'ALREADY_EXISTS', /network taken already exists/],
    ['with an empty name', { name: '' }, 'INVALID', /''/],
    ['with a name that no path takes', { name: '../x' }, 'INVALID', /'\.\.\/x'/],
    ['with a name of 129 characters', { name: 'a'.repeat(129) }, 'INVALID', /cannot name a network/],
    ['with a small MTU', { mtu: 575 }, 'INVALID', /mtu 575/],
    ['with a large MTU', { mtu: 65536 }, 'INVALID', /mtu 65536/],
    ['with an MTU too small for IPv6', { mtu: 1279, ipv6: true }, 'INVALID', /mtu 1279 .*IPv6/],
    [
      'with two MTUs',
      { mtu: 1400, options: { 'com.docker.network.driver.mtu': '1500' } },
      'INVALID',
      /mtu 1400 and option/,
    ],
    ['of an unknown driver', { driver: 'token-ring' }, 'INVALID', /no driver 'token-ring'/],
    ['of a driver named like a method', { driver: 'constructor' }, 'INVALID', /no driver 'constructor'/],
    ['of an unknown driver by option', { options: { 'vetch.driver': 'token-ring' } }, 'INVALID', /token-ring/],
    ['of two drivers', { driver: 'overlay', options: { 'vetch.driver': 'bridge' } }, 'INVALID', /contradict/],
    [
      'with an unknown option',
      { options: { 'vetch.fowarding': 'stack' } },
      'INVALID',
      /unknown option vetch\.fowarding/,
    ],
  ];

  test.each(cases)('%s', (_, request, code, message) => {
    const error = refusal(() => planned({ name: 'new', ...request }, { networks: [taken], hostRoutes }));
    expect(error).toBeInstanceOf(VetchError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) });
    expect(String((error as VetchError).message + (error as VetchError).hint)).not.toContain('\n');
  });

  test('when the host has as many as it can have', () => {
    const base = planned();
    const networks = Array.from({ length: 2047 }, (_, i) => ({ ...base, subnets: [], name: `n${i}`, number: i + 1 }));
    expect(refusal(() => planned({}, { networks }))).toMatchObject({ code: 'MAP_FULL' });
    expect(planned({ driver: 'overlay' }, { networks }).number).toBe(2048);
  });

  test('when no default subnet is free', () => {
    const hostRoutes = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map((destination) => ({ destination }));
    expect(refusal(() => planned({}, { hostRoutes }))).toMatchObject({
      code: 'SUBNET_OVERLAP',
      hint: expect.stringContaining('--subnet'),
    });
  });
});
