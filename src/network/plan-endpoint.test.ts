import { describe, expect, test } from 'vitest';
import { VetchError } from '../api/error.ts';
import type { AttachEndpointRequest } from '../api/schemas/endpoint.ts';
import { indexOf, planned, refusal } from './testing.ts';

const dual = () => planned({ subnets: ['10.1.0.0/24', 'fd00:1::/64'] });

describe('a new endpoint', () => {
  test('gets what it does not name: number, name, addresses, MAC and devices', () => {
    const { attach } = indexOf(dual());
    const endpoint = attach();
    expect(endpoint).toMatchObject({
      number: 1,
      addresses: ['10.1.0.2/24', 'fd00:1::2/64'],
      ifname: 'eth0',
      ports: [],
      owner: 'vetch',
    });
    expect(endpoint.name).toBe(endpoint.id.slice(0, 12));
    expect(endpoint.hostIfname).toMatch(/^vt[0-9a-f]{11}$/);
    expect(endpoint.mac).toMatch(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
    expect('cgroup' in endpoint).toBe(false);
  });

  test('gets what it names', () => {
    const { attach } = indexOf(dual());
    const wish = { name: 'web', addresses: ['FD00:1::0:7', '10.1.0.9'], mac: '02:42:AC:11:00:02', ifname: 'lan0' };
    expect(attach({ ...wish, cgroup: '/sys/fs/cgroup/web' })).toMatchObject({
      name: 'web',
      addresses: ['10.1.0.9/24', 'fd00:1::7/64'],
      mac: '02:42:ac:11:00:02',
      ifname: 'lan0',
      cgroup: '/sys/fs/cgroup/web',
    });
  });

  test('takes the lowest number and address that another one left', () => {
    const { index, attach } = indexOf(dual());
    const [first] = [attach({ name: 'a' }), attach({ name: 'b' }), attach({ name: 'c' })];
    index.removeEndpoint(first.id);
    expect(attach({ name: 'a' })).toMatchObject({ number: 1, addresses: ['10.1.0.2/24', 'fd00:1::2/64'] });
    expect(attach({ name: 'd' })).toMatchObject({ number: 4, addresses: ['10.1.0.5/24', 'fd00:1::5/64'] });
  });

  test('gets the first device name that is free in its sandbox', () => {
    const { attach } = indexOf(dual());
    expect(attach({}, { sandboxIfnames: ['lo', 'eth0'] }).ifname).toBe('eth1');
    expect(attach().ifname).toBe('eth0');
    expect(attach().ifname).toBe('eth2');
    expect(attach({ netns: '/var/run/netns/other' }).ifname).toBe('eth0');
  });

  test('that was only planned has taken nothing', () => {
    const network = dual();
    const { index, attach } = indexOf(network);
    const endpoint = attach({ name: 'web' });
    index.removeEndpoint(endpoint.id);
    expect(attach({ name: 'web' })).toMatchObject({ number: 1, addresses: endpoint.addresses });
  });

  test('whose id begins like another one gets a host device of its own name', () => {
    const { attach } = indexOf(dual());
    const id = '0123456789ab'.padEnd(63, 'c');
    const names = ['0', '1'].map((digit) => attach({}, { id: id + digit }).hostIfname);
    expect(names).toEqual(['vt0123456789a', 'vt123456789ab']);
  });

  test('is planned as fast beside 10,000 others as beside none', () => {
    const { attach } = indexOf(planned());
    for (let i = 0; i < 10_000; i++) attach({ netns: `/var/run/netns/${i}`, labels: { n: String(i % 50) } });
    const started = performance.now();
    for (let i = 0; i < 100; i++) attach({ netns: `/var/run/netns/late-${i}` });
    expect((performance.now() - started) / 100).toBeLessThan(2); // milliseconds each; measured: 0.05
  });
});

describe('an endpoint is refused', () => {
  const cases: [string, Partial<AttachEndpointRequest>, string, RegExp][] = [
    ['with an address outside', { addresses: ['10.2.0.1'] }, 'ADDRESS_OUTSIDE_POOL', /10\.2\.0\.1 is outside 10\.1/],
    ['with an address that is none', { addresses: ['web'] }, 'INVALID', /'web' is not an IP address/],
    ['with the gateway', { addresses: ['10.1.0.1'] }, 'ADDRESS_TAKEN', /gateway/],
    ['with the broadcast address', { addresses: ['10.1.0.255'] }, 'ADDRESS_TAKEN', /broadcast/],
    ['with an address that is taken', { addresses: ['10.1.0.2'] }, 'ADDRESS_TAKEN', /10\.1\.0\.2 .* in use/],
    ['with two of one family', { addresses: ['10.1.0.7', '10.1.0.8'] }, 'INVALID', /two addresses of one family/],
    ['with a name that is taken', { name: 'web' }, 'ALREADY_EXISTS', /frontend\/web already exists/],
    ['with a name that means the host', { name: 'host' }, 'INVALID', /'host'/],
    ['with a name with a slash', { name: 'a/b' }, 'INVALID', /'a\/b'/],
    ['with a MAC that is none', { mac: '02:42' }, 'INVALID', /'02:42'/],
    ['with a multicast MAC', { mac: '01:00:5e:00:00:01' }, 'INVALID', /multicast/],
    ['with an empty MAC', { mac: '00:00:00:00:00:00' }, 'INVALID', /00:00/],
    ['with a MAC that is taken', { mac: '02:00:00:00:00:01' }, 'ADDRESS_TAKEN', /02:00:00:00:00:01 is in use/],
    ['with a device that is there', { ifname: 'eth0' }, 'ALREADY_EXISTS', /netns\/web has a device eth0/],
    ['with a long device name', { ifname: 'sixteen-letters-' }, 'INVALID', /sixteen/],
    ['with lo as its device', { ifname: 'lo' }, 'INVALID', /'lo'/],
  ];

  test.each(cases)('%s', (_, request, code, message) => {
    const { attach } = indexOf(dual());
    attach({ name: 'web', mac: '02:00:00:00:00:01' });
    const error = refusal(() => attach({ name: 'new', ...request }));
    expect(error).toBeInstanceOf(VetchError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.stringMatching(/./) });
  });

  test('with an address of a family that the network has not', () => {
    const { attach } = indexOf(planned());
    expect(refusal(() => attach({ addresses: ['fd00::5'] }))).toMatchObject({ code: 'ADDRESS_OUTSIDE_POOL' });
  });

  test("with the gateway's MAC", () => {
    const { attach } = indexOf(dual());
    const context = { reservedMacs: ['02:76:65:74:63:68'] };
    expect(refusal(() => attach({ mac: '02:76:65:74:63:68' }, context))).toMatchObject({ code: 'ADDRESS_TAKEN' });
  });

  test('when the subnet is full, and accepted again when one has gone', () => {
    const { index, attach } = indexOf(planned({ subnets: ['10.1.0.0/30'] }));
    const only = attach();
    expect(refusal(() => attach())).toMatchObject({ code: 'ADDRESS_TAKEN' });
    index.removeEndpoint(only.id);
    expect(attach().addresses).toEqual(['10.1.0.2/30']);
  });

  test('with a published port in an internal network', () => {
    const { attach } = indexOf(planned({ internal: true }));
    expect(refusal(() => attach({ publish: ['8080:80'] }))).toMatchObject({
      code: 'INVALID',
      message: expect.stringContaining('internal'),
    });
  });

  test('with the id of another', () => {
    const { attach } = indexOf(dual());
    const { id } = attach();
    expect(refusal(() => attach({}, { id }))).toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  test('with a number beyond what the maps hold', () => {
    const { index, attach } = indexOf(dual());
    for (let number = 1; number <= 16383; number++) index.numbers.take(number);
    expect(refusal(() => attach())).toMatchObject({ code: 'MAP_FULL' });
  });
});
