import { afterAll, beforeAll, expect, test } from 'vitest';
import { Capture } from './capture.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { ask, ping, serve } from './talk.ts';

// What is not the plain packet of a plain flow: sizes, hops, errors, groups, and what bpftool reads of it all.

const programs = new URL('./programs/', import.meta.url).pathname;

let lab: Lab;
let host: Host;
let outside: Client;
let far: Client;
let shop: Container;
let till: Container;
let spy: Container;

const families = ['address4', 'address6'] as const;
const gateways = { address4: '10.88.0.1', address6: 'fd00:88::1' };
const shops = { address4: '10.88.0.2', address6: 'fd00:88::2' };
const tills = { address4: '10.88.0.3', address6: 'fd00:88::3' };
/** More than one TCP window of the smallest packets, less than a slow machine minds. */
const bulk = 3_000_000;

beforeAll(async () => {
  lab = await Lab.create({ remotes: ['far'] });
  host = lab.host('h1');
  outside = lab.client('outside');
  far = lab.client('far');
  // Hosts and what is far have 1500, and between them is less.
  await lab.router.ip(
    'route replace 203.0.113.0/24 dev world src 203.0.113.1 mtu lock 1300',
    'route del 2001:db8:3::/64 dev world proto kernel',
    'route add 2001:db8:3::/64 dev world metric 128 mtu lock 1300',
  );
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'other', '--subnet', '10.89.0.0/16', '--subnet', 'fd00:89::/64');
  const publishes = ['8080:80/udp', '8081:81/udp', '8090:90'].flatMap((spec) => ['--publish', spec]);
  [shop] = await host.attach('web', 'shop', ...publishes);
  [till] = await host.attach('web', 'till');
  [spy] = await host.attach('other', 'spy');
  await Promise.all([shop, outside, far].map((machine) => serve(machine, 'udp', 80)));
  await Promise.all([
    spawnReady(shop, 'bulk.py', 'pour', '90', String(bulk)),
    spawnReady(outside, 'bulk.py', 'serve', '91'),
    spawnReady(far, 'bulk.py', 'serve', '91'),
  ]);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

async function spawnReady(machine: Machine, program: string, ...args: string[]): Promise<void> {
  await machine.spawn('python3', `${programs}${program}`, ...args).until(/ready/);
}

async function python(machine: Machine, program: string, ...args: string[]): Promise<string> {
  return (await machine.must('python3', `${programs}${program}`, ...args)).trim();
}

/** Which path MTU a machine has learned. */
async function learned(machine: Machine, address: string): Promise<number> {
  return Number(/ mtu (\d+)/.exec(await machine.must('ip', 'route', 'get', address))?.[1] ?? 0);
}

async function forget(machine: Machine): Promise<void> {
  await machine.must('sh', '-ec', 'ip route flush cache; ip -6 route flush cache');
}

/** What ping says of a packet of so many bytes that nobody may cut; the sender knows nothing of the way. */
async function pingWhole(machine: Machine, address: string, bytes: number): Promise<string> {
  await forget(machine);
  const size = String(bytes - (address.includes(':') ? 48 : 28));
  const { stdout, stderr } = await machine.exec('ping', '-n', '-c', '1', '-W', '1', '-M', 'do', '-s', size, address);
  return stdout + stderr;
}

test('a router with a smaller MTU is heard through masquerading, and bulk transfers fit', async () => {
  for (const family of families) {
    expect(await python(till, 'bulk.py', 'send', far[family], '91', String(bulk)), family).toBe(String(bulk));
    expect(await learned(till, far[family]), family).toBe(1300);
  }
});

test('a router with a smaller MTU is heard through a published port, and bulk transfers fit', async () => {
  for (const family of families) {
    expect(await python(far, 'bulk.py', 'fetch', host[family], '8090'), family).toBe(String(bulk));
    expect(await learned(shop, far[family]), family).toBe(1300);
  }
});

test('packets in fragments reach neighbours, the host, the world and published ports', async () => {
  for (const family of families) {
    for (const to of [shops[family], gateways[family], host[family], outside[family]]) {
      expect(await ping(till, to, '-s', '3000'), to).toBe(0);
    }
    expect(await ping(host, tills[family], '-s', '3000'), family).toBe(0);
    for (const [from, to, port] of [
      [outside, host, 8080],
      [spy, host, 8080],
      [till, outside, 80],
      [host, shops, 80],
    ] as const) {
      const reply = await ask(from, 'udp', to[family], port, '--size', '3000');
      expect(reply.reply, `${from.name} ${family}`).toContain('bytes=3000');
    }
  }
});

test('the gateway says how large a packet an uplink takes, and bulk transfers fit', async () => {
  // 1492 is what PPPoE leaves: the options of TCP decide there.
  await using _ = { [Symbol.asyncDispose]: () => host.ip('link set eth0 mtu 1500') };
  for (const mtu of [1400, 1492]) {
    await host.ip(`link set eth0 mtu ${mtu}`);
    await expect
      .poll(() => pingWhole(till, outside.address4, 1500), { timeout: 5000, interval: 200 })
      .toContain(`From ${gateways.address4} icmp_seq=1 Frag needed and DF set (mtu = ${mtu})`);
    expect(await pingWhole(till, outside.address6, 1500)).toContain(
      `From ${gateways.address6} icmp_seq=1 Packet too big: mtu=${mtu}`,
    );
    for (const container of [till, shop]) {
      await forget(container);
      for (const family of families) {
        const taken = await python(container, 'bulk.py', 'send', outside[family], '91', String(bulk));
        expect(taken, `${container.name} ${family} ${mtu}`).toBe(String(bulk));
        expect(await learned(container, outside[family])).toBe(mtu);
      }
      await forget(container);
    }
  }
});

test('the gateway and the routers behind it answer for packets that run out of hops', async () => {
  const routers = { address4: '198.51.100.1', address6: '2001:db8:f::1' };
  for (const family of families) {
    const hop = async (ttl: number) =>
      (await till.exec('ping', '-n', '-c', '1', '-W', '2', '-t', String(ttl), far[family])).stdout;
    expect(await hop(1), family).toMatch(new RegExp(`From ${gateways[family]}:? icmp_seq=1 Time (to live )?exceeded`));
    expect(await hop(2), family).toMatch(new RegExp(`From ${routers[family]}:? icmp_seq=1 Time (to live )?exceeded`));
    expect(await hop(3), family).toContain('1 received');
    // A neighbour is no hop away.
    expect(await ping(till, shops[family], '-t', '1'), family).toBe(0);
  }
});

test('a refused UDP port is reported to who asked: to containers, and through a published port', async () => {
  for (const family of families) {
    expect((await ask(till, 'udp', outside[family], 9)).error, family).toBe('ECONNREFUSED');
    expect((await ask(till, 'udp', shops[family], 9)).error, family).toBe('ECONNREFUSED');
    expect((await ask(outside, 'udp', host[family], 8081)).error, family).toBe('ECONNREFUSED');
    expect((await ask(spy, 'udp', host[family], 8081)).error, family).toBe('ECONNREFUSED');
  }
});

test('the answer to a datagram comes from the address that was asked', async () => {
  for (const container of [till, spy, shop]) {
    for (const family of families) {
      const reply = await ask(container, 'udp', host[family], 8080, '--unconnected');
      expect(reply, `${container.name} ${family}`).toMatchObject({ ok: true, replyFrom: [host[family], 8080] });
    }
  }
});

test('groups and broadcasts reach the members of the network and nobody else', async () => {
  // A sender that is a member hears itself, of groups and of 255.255.255.255 and its like alike.
  const names = ['shop', 'till'];
  for (const [group, port] of [
    ['224.0.0.251', '5353'],
    ['ff02::fb', '5354'],
    ['255.255.255.255', '5355'],
    ['10.88.255.255', '5356'],
  ] as const) {
    const listen = (machine: Machine) => spawnReady(machine, 'group.py', 'listen', group, port, 'eth0', machine.name);
    await Promise.all([shop, till, spy].map(listen));
    await using captured = await Capture.start(host, 'eth0', '-Q', 'out', 'port', port);
    await using inside = await Capture.start(host, 'vetch0', 'port', port);
    expect(JSON.parse(await python(till, 'group.py', 'ask', group, port, 'eth0')), group).toEqual(names);
    expect([...captured.lines, ...inside.lines], group).toEqual([]);
  }
});

test('a ping to everybody is answered by the members of the network', async () => {
  for (const machine of [shop, till, spy]) await machine.sysctl({ 'net/ipv4/icmp_echo_ignore_broadcasts': 0 });
  const broadcast = await till.exec('ping', '-n', '-b', '-c', '2', '-i', '0.3', '-W', '1', '10.88.255.255');
  expect(broadcast.stdout).toContain(`from ${shops.address4}: icmp_seq=1`);
  const all = await till.exec('ping', '-n', '-c', '2', '-i', '0.3', '-W', '1', 'ff02::1%eth0');
  const [shopsLinkLocal] = /fe80:[0-9a-f:]+/.exec(await shop.must('ip', '-6', 'address', 'show', 'eth0')) ?? [''];
  expect(all.stdout).toContain(`from ${shopsLinkLocal}%eth0: icmp_seq=1`);
});

test('bpftool reads named fields, and names that say what they are', async () => {
  const entries = JSON.parse(
    await host.must('bpftool', '--json', 'map', 'dump', 'pinned', `${host.bpffs}/v1/maps/endpoints`),
  );
  const formatted = entries.map((entry: { formatted: unknown }) => entry.formatted);
  expect(formatted.length).toBeGreaterThanOrEqual(6);
  for (const entry of formatted) {
    expect(Object.keys(entry.key)).toEqual(['network', 'addr']);
    expect(Object.keys(entry.value)).toEqual(['number', 'ifindex', 'network', 'mac', 'flags']);
  }
  expect(await host.must('bpftool', 'map', 'dump', 'pinned', `${host.bpffs}/v1/maps/endpoints`)).toMatch(
    /"ifindex": \d+/,
  );
  // What stands at clsact; TCX is nothing that Debian 12's bpftool has heard of.
  expect((await host.must('bpftool', 'net')).match(/^vt\w+\(\d+\) clsact\/ingress from_endpoint/gm)).toHaveLength(3);
  const pinned = (await host.must('ls', `${host.bpffs}/v1/progs`)).trim().split(/\s+/);
  for (const name of pinned) {
    const shown = JSON.parse(
      await host.must('bpftool', '--json', 'prog', 'show', 'pinned', `${host.bpffs}/v1/progs/${name}`),
    );
    expect(shown.name, name).toBe(name);
  }
  expect(pinned).toEqual(expect.arrayContaining(['from_endpoint', 'from_host', 'from_uplink', 'sock_connect4']));
});
