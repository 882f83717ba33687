import { describe, expect, test } from 'vitest';
import { AddressFlag } from '../../src/netlink/address.ts';
import { thrownBy, World } from './support.ts';

describe('an address', () => {
  test('of either family is added, listed and deleted', () => {
    using world = new World();
    const { index } = world.veth();
    world.inHost.addAddress(index, '10.88.0.1/32');
    world.inHost.addAddress(index, 'fd00:88::1/128', { noDad: true });
    expect(world.inHost.addresses({ ifindex: index }).map(({ cidr }) => cidr)).toEqual([
      '10.88.0.1/32',
      'fd00:88::1/128',
    ]);
    world.inHost.deleteAddress(index, '10.88.0.1/32');
    world.inHost.deleteAddress(index, 'fd00:88::1/128');
    expect(world.inHost.addresses({ ifindex: index })).toEqual([]);
  });

  test('of IPv6 is usable at once where nobody is asked whether he has it', () => {
    using world = new World();
    const { index } = world.connected();
    world.inHost.addAddress(index, 'fd00:99::1/64', { noDad: true });
    world.inHost.addAddress(index, 'fd00:99::2/64');
    const flags = new Map(world.inHost.addresses({ ifindex: index }).map(({ cidr, flags }) => [cidr, flags]));
    expect((flags.get('fd00:99::1/64') ?? 0) & AddressFlag.TENTATIVE).toBe(0);
    expect((flags.get('fd00:99::2/64') ?? 0) & AddressFlag.TENTATIVE).not.toBe(0);
  });

  test('brings a route to its prefix, or none', () => {
    using world = new World();
    const { index } = world.connected();
    world.inHost.addAddress(index, '10.90.0.1/16', { noPrefixRoute: true });
    world.inHost.addAddress(index, '10.91.0.1/16');
    const routes = world.inHost.routes({ family: 4 }).map(({ destination }) => destination);
    expect(routes).toContain('10.91.0.0/16');
    expect(routes).not.toContain('10.90.0.0/16');
  });

  test('that is there already is refused, unless it may be replaced', () => {
    using world = new World();
    const { index } = world.veth();
    world.inHost.addAddress(index, '10.88.0.1/16');
    expect(thrownBy(() => world.inHost.addAddress(index, '10.88.0.1/16'))).toMatchObject({
      code: 'EEXIST',
      message: expect.stringMatching(/^cannot add address 10\.88\.0\.1\/16 to device \d+: EEXIST: /),
    });
    world.inHost.addAddress(index, '10.88.0.1/16', { replace: true });
  });

  test('that is not there cannot be deleted', () => {
    using world = new World();
    const { index } = world.veth();
    expect(thrownBy(() => world.inHost.deleteAddress(index, '10.88.0.1/16'))).toMatchObject({ code: 'EADDRNOTAVAIL' });
  });

  test('is listed of one device and family alone', () => {
    using world = new World();
    const { index } = world.connected();
    world.inHost.setLink('lo', { up: true });
    expect(world.inHost.addresses({ ifindex: 1 }).map(({ cidr }) => cidr)).toEqual(['127.0.0.1/8', '::1/128']);
    expect(world.inHost.addresses({ family: 4 }).map(({ cidr }) => cidr)).toEqual(['127.0.0.1/8', '10.88.0.1/16']);
    expect(world.inHost.addresses({ ifindex: index, family: 6 }).map(({ cidr }) => cidr)).toContain('fd00:88::1/64');
    expect(world.inHost.addresses({ ifindex: 77 })).toEqual([]);
  });
});
