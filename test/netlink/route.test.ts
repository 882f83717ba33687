import { describe, expect, test } from 'vitest';
import { RouteTable } from '../../src/netlink/route.ts';
import { ip, thrownBy, World } from './support.ts';

describe('a route', () => {
  test('through a device has a preferred source', () => {
    using world = new World();
    const { index } = world.connected();
    for (const [destination, source] of [
      ['10.99.0.0/16', '10.88.0.1'],
      ['fd00:99::/64', 'fd00:88::1'],
    ] as const) {
      world.inHost.addRoute({ destination, ifindex: index, source });
      const found = world.inHost.routes({ ifindex: index }).find((route) => route.destination === destination);
      expect(found).toMatchObject({ source, ifindex: index, table: RouteTable.MAIN, protocol: 4 });
    }
  });

  test('to everywhere goes by the gateway', () => {
    using world = new World();
    const { peerIndex } = world.connected();
    for (const [destination, gateway] of [
      ['0.0.0.0/0', '10.88.0.1'],
      ['::/0', 'fd00:88::1'],
    ] as const) {
      world.inBox.addRoute({ destination, gateway, ifindex: peerIndex });
      expect(world.inBox.routes().find((route) => route.destination === destination)).toMatchObject({ gateway });
    }
  });

  test('by a gateway that no route leads to is refused with the reason, unless it is said to be on the link', () => {
    using world = new World();
    const { peerIndex } = world.connected();
    const route = { destination: '0.0.0.0/0', gateway: '192.0.2.1', ifindex: peerIndex };
    expect(thrownBy(() => world.inBox.addRoute(route))).toMatchObject({
      code: 'ENETUNREACH',
      message: expect.stringContaining('Nexthop has invalid gateway'),
    });
    world.inBox.addRoute({ ...route, onlink: true });
    expect(world.inBox.routes().find(({ gateway }) => gateway === '192.0.2.1')).toMatchObject({ onlink: true });
  });

  test('is told from another by its metric', () => {
    using world = new World();
    const { index } = world.connected();
    const route = { destination: '10.99.0.0/16', ifindex: index };
    world.inHost.addRoute({ ...route, metric: 10 });
    world.inHost.addRoute({ ...route, metric: 20 });
    expect(thrownBy(() => world.inHost.addRoute({ ...route, metric: 10 }))).toMatchObject({ code: 'EEXIST' });
    world.inHost.deleteRoute({ ...route, metric: 10 });
    const left = world.inHost.routes().filter(({ destination }) => destination === route.destination);
    expect(left.map(({ metric }) => metric)).toEqual([20]);
  });

  test('is replaced by one of its destination and metric', () => {
    using world = new World();
    const { index } = world.connected();
    for (const gateway of ['10.88.0.2', '10.88.0.3']) {
      world.inHost.replaceRoute({ destination: '10.99.0.0/16', gateway, ifindex: index });
      const found = world.inHost.routes().filter(({ destination }) => destination === '10.99.0.0/16');
      expect(found.map((route) => route.gateway)).toEqual([gateway]);
    }
  });

  test('stands in a table of its own, with a number above 255 too', async () => {
    using world = new World();
    const { index } = world.connected();
    expect(world.inHost.routes({ table: 30309 })).toEqual([]);
    expect(await world.inHost.routesAsync({ table: 30309 })).toEqual([]);
    for (const destination of ['10.99.0.0/16', 'fd00:99::/64']) {
      world.inHost.addRoute({ destination, ifindex: index, table: 30309 });
    }
    expect(world.inHost.routes({ table: 30309 }).map(({ destination }) => destination)).toEqual([
      '10.99.0.0/16',
      'fd00:99::/64',
    ]);
    expect(await world.inHost.routesAsync()).toEqual(world.inHost.routes());
    expect(world.inHost.routes().some(({ destination }) => destination === '10.99.0.0/16')).toBe(false);
    expect(world.inHost.routes({ table: 0 }).some(({ table }) => table === RouteTable.LOCAL)).toBe(true);
  });

  test('may lead nowhere', () => {
    using world = new World();
    world.connected();
    for (const type of ['unreachable', 'blackhole', 'prohibit'] as const) {
      world.inHost.replaceRoute({ destination: '10.99.0.0/16', type });
      expect(world.inHost.routes().find(({ destination }) => destination === '10.99.0.0/16')).toMatchObject({ type });
    }
    world.inHost.deleteRoute({ destination: '10.99.0.0/16' });
  });

  test('that is not there cannot be deleted', () => {
    using world = new World();
    const { index } = world.connected();
    for (const destination of ['10.99.0.0/16', 'fd00:99::/64']) {
      expect(thrownBy(() => world.inHost.deleteRoute({ destination, ifindex: index }))).toMatchObject({
        code: 'ESRCH',
      });
    }
  });

  test('with a path MTU says so to those who ask ip(8)', () => {
    using world = new World();
    const { index } = world.connected();
    world.inHost.addRoute({ destination: '10.99.0.0/16', ifindex: index, mtu: 1400 });
    expect(ip(world.host, 'route', 'show', '10.99.0.0/16')).toContain('mtu 1400');
  });

  test('of several next hops has each of them', () => {
    using world = new World();
    const { index } = world.connected();
    const hops = ['10.88.0.2', '10.88.0.3'];
    ip(world.host, 'route', 'add', '10.99.0.0/16', ...hops.flatMap((hop) => ['nexthop', 'via', hop, 'dev', 'vt0']));
    const route = world.inHost.routes({ family: 4 }).find(({ destination }) => destination === '10.99.0.0/16');
    expect(route?.nextHops).toEqual(hops.map((gateway) => ({ ifindex: index, gateway })));
    expect(route).not.toHaveProperty('gateway');
  });

  test('by a gateway of IPv6 for IPv4 is read with that gateway', () => {
    using world = new World();
    world.connected();
    ip(world.host, 'route', 'add', '10.99.0.0/16', 'via', 'inet6', 'fd00:88::2', 'dev', 'vt0');
    const route = world.inHost.routes({ family: 4 }).find(({ destination }) => destination === '10.99.0.0/16');
    expect(route).toMatchObject({ family: 4, gateway: 'fd00:88::2' });
  });
});

describe('a neighbour', () => {
  test('of either family is set, changed, listed and deleted', () => {
    using world = new World();
    const { index } = world.connected();
    for (const address of ['10.88.0.7', 'fd00:88::7']) {
      for (const mac of ['02:00:00:00:00:07', '02:00:00:00:00:08']) {
        world.inHost.setNeighbour({ ifindex: index, address, mac });
        expect(world.inHost.neighbours({ ifindex: index }).find((found) => found.address === address)).toMatchObject({
          mac,
          state: 'permanent',
        });
      }
      world.inHost.deleteNeighbour(index, address);
      expect(thrownBy(() => world.inHost.deleteNeighbour(index, address))).toMatchObject({ code: 'ENOENT' });
    }
  });
});
