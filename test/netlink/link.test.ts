import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import * as request from '../../src/netlink/requests.ts';
import { writeSysctl } from '../../src/netlink/sysctl.ts';
import { thrownBy, World, waitFor } from './support.ts';

describe('a veth pair', () => {
  test('has its peer in the target namespace from the start, with MAC, MTU and name', () => {
    using world = new World();
    const { index, peerIndex } = world.inHost.createVeth({
      name: 'vt0',
      mac: '02:00:00:00:00:01',
      mtu: 1450,
      noarp: true,
      peer: { name: 'eth0', mac: '02:00:00:00:00:02', mtu: 1400, netns: world.box },
    });
    expect(world.inHost.links().map(({ name }) => name)).toEqual(['lo', 'vt0']);
    expect(world.inBox.links().map(({ name }) => name)).toEqual(['lo', 'eth0']);
    expect(world.inHost.link(index)).toMatchObject({
      kind: 'veth',
      mac: '02:00:00:00:00:01',
      mtu: 1450,
      noarp: true,
      up: false,
      linkIndex: peerIndex,
      linkNetnsId: expect.any(Number),
    });
    expect(world.inBox.link(peerIndex)).toMatchObject({
      name: 'eth0',
      mac: '02:00:00:00:00:02',
      mtu: 1400,
      noarp: false,
      linkIndex: index,
    });
  });

  test('in one namespace says so by having no number of another', () => {
    using world = new World();
    const { index } = world.inHost.createVeth({ name: 'a', peer: { name: 'b' } });
    expect(world.inHost.link(index)).not.toHaveProperty('linkNetnsId');
    expect(world.inHost.links({ kind: 'veth' }).map(({ name }) => name)).toEqual(['b', 'a']);
  });

  test('whose name is taken is refused, and leaves nothing in the other namespace', () => {
    using world = new World();
    world.veth();
    const error = thrownBy(() => world.inHost.createVeth({ name: 'vt0', peer: { name: 'eth1', netns: world.box } }));
    expect(error).toMatchObject({
      code: 'EEXIST',
      message: 'cannot create veth pair vt0 and eth1: EEXIST: File exists',
    });
    expect(world.inBox.link('eth1')).toBeUndefined();
  });

  test('whose peer name is taken there is refused, and leaves nothing here', () => {
    using world = new World();
    world.veth();
    const error = thrownBy(() => world.inHost.createVeth({ name: 'vt1', peer: { name: 'eth0', netns: world.box } }));
    expect(error).toMatchObject({ code: 'EEXIST' });
    expect(world.inHost.link('vt1')).toBeUndefined();
  });

  test('is gone on both sides when either end is deleted', () => {
    using world = new World();
    const { peerIndex } = world.veth();
    world.inHost.deleteLink('vt0');
    expect(world.inHost.link('vt0')).toBeUndefined();
    expect(world.inBox.link(peerIndex)).toBeUndefined();
    expect(thrownBy(() => world.inHost.deleteLink('vt0'))).toMatchObject({ code: 'ENODEV' });
  });
});

describe('a device', () => {
  test('comes up, goes down, and works when its other end is up too', () => {
    using world = new World();
    const { index, peerIndex } = world.veth();
    world.inHost.setLink(index, { up: true });
    expect(world.inHost.link(index)).toMatchObject({ up: true });
    expect(world.inHost.link(index)?.operstate).not.toBe('up');
    world.inBox.setLink(peerIndex, { up: true });
    waitFor(() => world.inHost.link(index)?.operstate === 'up');
    world.inHost.setLink(index, { up: false });
    expect(world.inHost.link(index)).toMatchObject({ up: false });
  });

  test('keeps what is not said of it', () => {
    using world = new World();
    const { index } = world.veth();
    world.inHost.setLink(index, { noarp: true });
    world.inHost.setLink(index, { up: true });
    world.inHost.setLink(index, { mtu: 1300 });
    expect(world.inHost.link(index)).toMatchObject({ up: true, noarp: true, mtu: 1300, mac: '02:00:00:00:00:01' });
    world.inHost.setLink(index, { noarp: false });
    expect(world.inHost.link(index)).toMatchObject({ up: true, noarp: false });
  });

  test('takes another name, MAC, alias and queue length', () => {
    using world = new World();
    const { index } = world.veth();
    world.inHost.setLink(index, { name: 'vt1', mac: '02:00:00:00:00:09', alias: 'web', txQueueLength: 7 });
    expect(world.inHost.link('vt0')).toBeUndefined();
    expect(world.inHost.link('vt1')).toMatchObject({
      index,
      mac: '02:00:00:00:00:09',
      alias: 'web',
      txQueueLength: 7,
    });
  });

  test('moves to another namespace', () => {
    using world = new World();
    world.inHost.createVeth({ name: 'a', peer: { name: 'b' } });
    world.inHost.setLink('b', { netns: world.box });
    expect(world.inHost.link('b')).toBeUndefined();
    expect(world.inBox.link('b')).toMatchObject({ name: 'b', kind: 'veth' });
  });

  test('joins a bridge and leaves it', () => {
    using world = new World();
    const bridge = world.inHost.createLink({ kind: 'bridge', name: 'br0' });
    const { index } = world.veth();
    world.inHost.setLink(index, { master: bridge });
    expect(world.inHost.links({ master: bridge }).map(({ name }) => name)).toEqual(['vt0']);
    world.inHost.setLink(index, { master: 0 });
    expect(world.inHost.link(index)).not.toHaveProperty('master');
  });

  test('that is not there is named in the refusal', () => {
    using world = new World();
    expect(thrownBy(() => world.inHost.setLink(77, { up: true }))).toMatchObject({
      code: 'ENODEV',
      message: 'cannot change device 77: ENODEV: No such device',
    });
    expect(world.inHost.link('nobody')).toBeUndefined();
  });

  test('counts what it carries', () => {
    using world = new World();
    const { index, peerIndex } = world.connected();
    const before = world.inHost.link(index)?.statistics;
    // A neighbour solicitation or a listener report is enough: IPv6 says hello by itself.
    waitFor(() => world.inHost.link(index)?.statistics.rxPackets !== before?.rxPackets);
    const here = world.inHost.link(index)?.statistics;
    expect(here?.rxPackets).toBeGreaterThan(before?.rxPackets ?? 0);
    expect(world.inBox.link(peerIndex)?.statistics.txBytes).toBeGreaterThanOrEqual(here?.rxBytes ?? Infinity);
  });
});

describe('a list of a thousand devices', () => {
  test('is read whole while devices come and go, and the event loop goes on meanwhile', async () => {
    using world = new World();
    const pairs = Array.from({ length: 500 }, (_, i) => ({ name: `a${i}`, peer: { name: `b${i}` } }));
    world.inHost.batch(pairs.map((pair) => request.createVeth(pair)));
    let turns = 0;
    let done = false;
    const others = (async () => {
      for (; !done; turns++) {
        if (turns % 10 === 0) world.inHost.createLink({ kind: 'bridge', name: 'br0' });
        if (turns % 10 === 5) world.inHost.deleteLink('br0');
        await setImmediate();
      }
    })();
    const links = await world.inHost.linksAsync();
    done = true;
    await others;
    expect(turns).toBeGreaterThan(5);
    const names = links.map(({ name }) => name).filter((name) => name !== 'br0');
    expect(names).toHaveLength(1001);
    expect(new Set(names).size).toBe(1001);
    expect(world.inHost.links({ kind: 'veth' })).toHaveLength(1000);
  });
});

describe('a group of devices', () => {
  test('goes at once, its peers with it, and nothing else does', () => {
    using world = new World();
    world.inHost.createVeth({ name: 'stays', peer: { name: 'eth0', netns: world.box } });
    for (const number of [1, 2, 3]) {
      world.inHost.createVeth({ name: `vt${number}`, peer: { name: `eth${number}`, netns: world.box } });
      world.inHost.setLink(`vt${number}`, { group: 77 });
    }
    expect(world.inHost.link('vt1')?.group).toBe(77);
    world.inHost.deleteGroup(77);
    expect(world.inHost.links().map(({ name }) => name)).toEqual(['lo', 'stays']);
    expect(world.inBox.links().map(({ name }) => name)).toEqual(['lo', 'eth0']);
    expect(thrownBy(() => world.inHost.deleteGroup(77))).toMatchObject({ code: 'ENODEV' });
  });
});

describe('the settings of a device', () => {
  test('are what its sysctls say', () => {
    using world = new World();
    world.veth();
    const settings = () => world.inHost.link('vt0')?.settings;
    const set = (path: string, value: string) => writeSysctl(world.host, path, value);
    expect(settings()).toMatchObject({ forwarding4: 0, forwarding6: 0, disableIpv6: 0 });
    set('net/ipv4/conf/vt0/forwarding', '1');
    expect(settings()).toMatchObject({ forwarding4: 1, forwarding6: 0 });
    set('net/ipv6/conf/vt0/forwarding', '1');
    set('net/ipv6/conf/vt0/accept_ra', '2');
    set('net/ipv6/conf/vt0/disable_ipv6', '1');
    expect(settings()).toEqual({ forwarding4: 1, forwarding6: 1, acceptRa: 2, disableIpv6: 1 });
  });
});

describe('a batch', () => {
  test('does everything with one send, and finds a device that it has just made by its name', () => {
    using world = new World();
    world.inHost.batch([
      request.createVeth({ name: 'a', peer: { name: 'b' } }),
      request.setLink('a', { up: true, mtu: 1400 }),
      request.setLink('b', { up: true }),
    ]);
    expect(world.inHost.link('a')).toMatchObject({ up: true, mtu: 1400 });
  });

  test('throws the first refusal, and goes on after it', () => {
    using world = new World();
    const requests = [
      request.setLink('lo', { up: true }),
      request.setLink('nobody', { up: true }),
      request.deleteLink('nobody'),
      request.setLink('lo', { mtu: 1500 }),
    ];
    expect(thrownBy(() => world.inHost.batch(requests))).toMatchObject({
      message: 'cannot change device nobody: ENODEV: No such device',
    });
    expect(world.inHost.link('lo')).toMatchObject({ up: true, mtu: 1500 });
    expect(world.inHost.attempt(requests).map((error) => error?.code)).toEqual([
      undefined,
      'ENODEV',
      'ENODEV',
      undefined,
    ]);
  });

  test('of hundreds loses no answer', () => {
    using world = new World();
    const bridge = world.inHost.createLink({ kind: 'bridge', name: 'br0', up: true });
    const addresses = Array.from({ length: 1000 }, (_, i) => `10.${i >> 8}.${i & 255}.1/32`);
    world.inHost.batch(addresses.map((cidr) => request.addAddress(bridge, cidr)));
    expect(world.inHost.addresses({ ifindex: bridge, family: 4 })).toHaveLength(1000);
    const results = world.inHost.attempt(addresses.map((cidr) => request.addAddress(bridge, cidr)));
    expect(results.every((error) => error?.code === 'EEXIST')).toBe(true);
  });
});
