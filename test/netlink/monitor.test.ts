import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { type NetlinkEvent, NetlinkMonitor, waitNetlink } from '../../src/netlink/monitor.ts';
import * as request from '../../src/netlink/requests.ts';
import { tcPrograms, World, waitFor } from './support.ts';

const brief = (events: readonly NetlinkEvent[]) =>
  events.map((event) => {
    switch (event.kind) {
      case 'link':
        return `${event.removed ? '-' : '+'}link ${event.link.name}`;
      case 'address':
        return `${event.removed ? '-' : '+'}address ${event.address.cidr}`;
      case 'route':
        return `${event.removed ? '-' : '+'}route ${event.route.destination}`;
      case 'filter':
        return `${event.removed ? '-' : '+'}filter ${event.filter.name}`;
      default:
        return event.kind;
    }
  });

describe('a monitor', () => {
  test('hears of devices, addresses and routes that come and go', () => {
    using world = new World();
    using monitor = NetlinkMonitor.open(world.host);
    expect(monitor.read()).toEqual([]);
    const { index } = world.connected();
    const events: string[] = [];
    // The kernel speaks of an IPv6 address from a worker of its own.
    waitFor(() => events.push(...brief(monitor.read())) > 0 && events.includes('+address fd00:88::1/64'));
    world.inHost.addRoute({ destination: '10.99.0.0/16', ifindex: index });
    world.inHost.deleteAddress(index, '10.88.0.1/16');
    world.inHost.deleteLink(index);
    events.push(...brief(monitor.read()));
    for (const expected of [
      '+link vt0',
      '+address 10.88.0.1/16',
      '+address fd00:88::1/64',
      '+route 10.99.0.0/16',
      '-address 10.88.0.1/16',
      '-link vt0',
    ]) {
      expect(events).toContain(expected);
    }
  });

  test('hears of its own namespace alone, and of what it asked for alone', () => {
    using world = new World();
    using elsewhere = NetlinkMonitor.open(world.box, ['link']);
    using routes = NetlinkMonitor.open(world.host, ['route']);
    world.inHost.createVeth({ name: 'a', peer: { name: 'b' } });
    expect(elsewhere.read()).toEqual([]);
    expect(routes.read().filter(({ kind }) => kind !== 'route')).toEqual([]);
  });

  test('hears of a filter that somebody takes away', () => {
    using world = new World();
    using object = tcPrograms();
    const { fd, name } = object.program('tc_accept');
    const { index } = world.veth();
    world.inHost.addClsact(index);
    const hook = { ifindex: index, parent: 'ingress' } as const;
    using monitor = NetlinkMonitor.open(world.host, ['trafficControl']);
    world.inHost.addBpfFilter({ ...hook, fd, name });
    world.inHost.deleteBpfFilter(hook);
    expect(brief(monitor.read())).toEqual([`+filter ${name}`, `-filter ${name}`]);
  });

  test('hears a question about clsact as if it were news, but not a listing', () => {
    using world = new World();
    const { index } = world.veth();
    world.inHost.addClsact(index);
    using monitor = NetlinkMonitor.open(world.host, ['trafficControl']);
    world.inHost.qdiscs();
    expect(monitor.read()).toEqual([]);
    world.inHost.clsact(index);
    expect(brief(monitor.read())).toEqual(['qdisc']);
  });

  test('does not take a device that leaves a bridge for one that is gone', () => {
    using world = new World();
    const bridge = world.inHost.createLink({ kind: 'bridge', name: 'br0', up: true });
    const { index } = world.connected();
    using monitor = NetlinkMonitor.open(world.host, ['link']);
    world.inHost.setLink(index, { master: bridge });
    world.inHost.setLink(index, { master: 0 });
    expect(monitor.read().filter((event) => event.kind === 'link' && event.removed)).toEqual([]);
  });

  test('that is too slow says that it has lost events, and hears those that follow', () => {
    using world = new World();
    const bridge = world.inHost.createLink({ kind: 'bridge', name: 'br0', up: true });
    using monitor = NetlinkMonitor.open(world.host, ['address']);
    const addresses = Array.from({ length: 4000 }, (_, i) => `10.${i >> 8}.${i & 255}.1/32`);
    world.inHost.batch(addresses.map((cidr) => request.addAddress(bridge, cidr)));
    const events: NetlinkEvent[] = [];
    for (let read = monitor.read(); read.length > 0; read = monitor.read()) events.push(...read);
    expect(events.some(({ kind }) => kind === 'lost')).toBe(true);
    world.inHost.deleteAddress(bridge, '10.0.0.1/32');
    expect(brief(monitor.read())).toEqual(['-address 10.0.0.1/32']);
  });

  test('is waited for on another thread', async () => {
    using world = new World();
    using monitor = NetlinkMonitor.open(world.host, ['link']);
    expect(waitNetlink(monitor.fd, 0)).toBe(false);
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.module).then(({ waitNetlink }) => {
        parentPort.postMessage('waiting');
        parentPort.postMessage(waitNetlink(workerData.fd, 5000));
      });`;
    const worker = new Worker(source, {
      eval: true,
      workerData: { fd: monitor.fd, module: new URL('../../src/netlink/monitor.ts', import.meta.url).href },
    });
    try {
      const messages = (async function* () {
        for (;;) yield await new Promise((resolve) => worker.once('message', resolve));
      })();
      expect((await messages.next()).value).toBe('waiting');
      world.inHost.setLink('lo', { up: true });
      expect((await messages.next()).value).toBe(true);
      expect(brief(monitor.read())).toContain('+link lo');
    } finally {
      await worker.terminate();
    }
  });
});
