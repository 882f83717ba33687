import { afterAll, beforeAll, expect, test } from 'vitest';
import * as build from '../kernel/packet/build.ts';
import { attackPort, droppedBetween, nobodysMac } from './attacks.ts';
import { Capture } from './capture.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { RawSender } from './raw-sender.ts';
import { ask, ping, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

// A container with NET_ADMIN against the LAN that its network is a part of.

let lab: Lab;
let host: Host;
let outside: Client;
let evil: Container;
let victim: Container;
let own: AttachedEndpoint;
let others: AttachedEndpoint;
let raw: RawSender;

const [own4, own6] = ['198.51.100.32', '2001:db8:f::32'];
const [victim4, victim6] = ['198.51.100.33', '2001:db8:f::33'];

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  const subnets = ['--subnet', '198.51.100.0/24', '--subnet', '2001:db8:f::/64'];
  const gateways = ['--gateway', '198.51.100.1', '--gateway', '2001:db8:f::1'];
  await host.vetch('network', 'create', 'lan', '--driver', 'macvlan', '--opt', 'parent=eth0', ...subnets, ...gateways);
  [evil, own] = await host.attach('lan', 'evil', '--ip', own4, '--ip', own6);
  [victim, others] = await host.attach('lan', 'victim', '--ip', victim4, '--ip', victim6);
  for (const machine of [victim, outside]) await serve(machine, 'tcp', 80);
  raw = await RawSender.start(evil);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** Whether the container is a machine of the LAN as it should be. */
async function isWell(): Promise<void> {
  for (const address of [outside.address4, outside.address6, victim4, victim6]) {
    expect(await ask(evil, 'tcp', address, 80), address).toMatchObject({ ok: true });
  }
}

test('nothing forged reaches the LAN, and each frame is counted under its reason', async () => {
  await isWell();
  await using wire = await Capture.start(outside, 'eth0', '-Q', 'in');
  await using inside = await Capture.start(victim, 'eth0', '-Q', 'in');
  const broadcast = build.broadcastMac;
  const all = build.groupMac('ff02::1');
  const lanMac = /link\/ether (\S+)/.exec(await outside.must('ip', '-o', 'link', 'show', 'eth0'))?.[1] ?? '';
  const udp = build.udp({ source: attackPort, destination: attackPort });
  const from = (source: string, destination: string) => build.eth({ source, destination });
  const v4 = (source: string, destination: string) => build.ipv4({ source, destination });
  const v6 = (source: string, destination: string, hopLimit = 255) => build.ipv6({ source, destination, hopLimit });
  const arp = (operation: 'request' | 'reply', senderMac: string, senderIp: string, destination = broadcast) =>
    build.packet(
      from(own.mac, destination),
      build.arp({ operation, senderMac, senderIp, targetMac: lanMac, targetIp: outside.address4 }),
    );
  const table: readonly (readonly [reason: string, ...frames: Uint8Array[]])[] = [
    [
      'SPOOFED',
      build.packet(from(nobodysMac, lanMac), v4(own4, outside.address4), udp),
      build.packet(from(others.mac, lanMac), v4(victim4, outside.address4), udp),
      build.packet(from(own.mac, lanMac), v4(victim4, outside.address4), udp),
      build.packet(from(own.mac, lanMac), v4('198.51.100.77', outside.address4), udp),
      build.packet(from(own.mac, lanMac), v6(victim6, outside.address6), udp),
      build.packet(from(own.mac, lanMac), v6('2001:db8:f::77', outside.address6), udp),
      build.packet(from(own.mac, broadcast), v4('0.0.0.0', '255.255.255.255'), udp),
    ],
    [
      'VLAN_TAGGED',
      build.packet(from(own.mac, lanMac), build.vlan(10), v4(own4, outside.address4), udp),
      build.packet(from(own.mac, lanMac), build.vlan(0), v4(own4, outside.address4), udp),
    ],
    [
      'ARP_FORGED',
      arp('request', nobodysMac, own4),
      arp('request', own.mac, victim4),
      arp('reply', own.mac, '198.51.100.1', lanMac),
      arp('reply', own.mac, outside.address4),
    ],
    [
      'ND_FORGED',
      build.packet(from(own.mac, all), v6(own6, 'ff02::1'), build.neighbourAdvertisement(victim6, own.mac)),
      build.packet(from(own.mac, all), v6(own6, 'ff02::1'), build.neighbourAdvertisement(own6, nobodysMac)),
      build.packet(from(own.mac, all), v6(own6, 'ff02::1'), build.neighbourSolicitation('2001:db8:f::77', nobodysMac)),
      build.packet(from(own.mac, all), v6(own6, 'ff02::2'), build.routerSolicitation(nobodysMac)),
    ],
    [
      'ROUTER_ADVERTISEMENT',
      build.packet(from(own.mac, all), v6(own6, 'ff02::1'), build.routerAdvertisement(own.mac)),
      build.packet(from(own.mac, lanMac), v6(own6, outside.address6), build.redirect6('::', '::')),
    ],
    [
      'DHCP_SERVER',
      build.packet(from(own.mac, broadcast), v4(own4, '255.255.255.255'), build.udp({ source: 67, destination: 68 })),
      build.packet(from(own.mac, all), v6(own6, 'ff02::1'), build.udp({ source: 547, destination: 546 })),
    ],
    ['UNICAST_IN_BROADCAST', build.packet(from(own.mac, broadcast), v4(own4, outside.address4), udp)],
    [
      'TUNNEL_FORGED',
      build.packet(from(own.mac, lanMac), v4(own4, outside.address4), build.udp({ source: 1, destination: 4789 })),
    ],
    ['HOST_ACCESS_OFF', build.packet(from(own.mac, lanMac), v4(own4, host.address4), udp)],
    ['UNKNOWN_PROTOCOL', build.packet(from(own.mac, lanMac), build.payload('loop'.repeat(12)))],
  ];
  let counted = { ...(await host.status()).drops };
  for (const [reason, ...frames] of table) {
    expect(await raw.send(frames), reason).toBe(frames.length);
    const now = { ...(await host.status()).drops };
    expect(droppedBetween(counted, now, reason), reason).toBe(`${reason} ${frames.length}`);
    counted = now;
  }
  await isWell();
  const forged = new RegExp(
    `${nobodysMac}|\\.${attackPort}\\b|vlan|802\\.1Q|redirect|router advertisement|BOOTP|DHCP|VXLAN|is-at ${own.mac}`,
  );
  for (const capture of [wire, inside]) {
    expect(capture.lines.filter((line) => forged.test(line) && !line.includes(`${own4} is-at`))).toEqual([]);
    expect(capture.lines.join('\n')).toContain(own.mac);
  }
});

test('a second macvlan on its device reaches nobody: the frames have a MAC that is not its own', async () => {
  await using wire = await Capture.start(outside, 'eth0', '-Q', 'in');
  await evil.ip(
    'link add over link eth0 type macvlan mode bridge',
    `link set over address ${nobodysMac} up`,
    'address add 198.51.100.66/24 dev over',
  );
  const pings = [outside.address4, victim4].map((address) => ping(evil, address, '-I', 'over', '-W', '1'));
  expect(await Promise.all(pings)).not.toContain(0);
  await evil.ip('link del over');
  expect(wire.lines.filter((line) => line.includes(nobodysMac))).toEqual([]);
  await isWell();
});

test('another MAC or another address of its device speaks to nobody, and its own does again', async () => {
  await evil.ip('address add 198.51.100.67/24 dev eth0');
  expect(await ping(evil, outside.address4, '-I', '198.51.100.67', '-W', '1')).not.toBe(0);
  await evil.ip('address del 198.51.100.67/24 dev eth0', `link set eth0 address ${nobodysMac}`);
  expect(await ping(evil, outside.address4, '-W', '1')).not.toBe(0);
  await evil.ip(`link set eth0 address ${own.mac}`);
  expect(await ping(evil, outside.address4)).toBe(0);
});

test('the device on the parent is in the host alone, and is not to be had by the container', async () => {
  expect(await host.must('ip', '-o', 'link')).toMatch(/vm[0-9a-f]{11}@eth0/);
  expect(await evil.must('ip', '-d', '-o', 'link', 'show', 'eth0')).toContain('veth');
});

test('broadcasts to the LAN end at their rate', async () => {
  await using wire = await Capture.start(outside, 'eth0', '-Q', 'in', 'udp', 'port', String(attackPort));
  const frame = build.packet(
    build.eth({ destination: build.broadcastMac, source: own.mac }),
    build.ipv4({ source: own4, destination: '255.255.255.255' }),
    build.udp({ source: attackPort, destination: attackPort }),
  );
  const began = Date.now();
  const sent = await raw.send([frame], { times: 5_000, seconds: 2 });
  const seconds = (Date.now() - began) / 1000;
  await wire.until(new RegExp(own.mac));
  expect(wire.lines.length).toBeLessThanOrEqual(500 * (seconds + 1.1));
  expect(sent).toBeGreaterThan(2_000);
  expect(await host.drops('FLOOD_LIMITED')).toBeGreaterThan(0);
});

test('who on the LAN speaks in the name of the host or of a container is not believed', async () => {
  const lan = await RawSender.start(outside);
  const before = await host.drops('SPOOFED');
  const udp = build.udp({ source: attackPort, destination: attackPort });
  const frames = [host.address4, own4, victim4].map((source) =>
    build.packet(
      build.eth({ source: nobodysMac, destination: others.mac }),
      build.ipv4({ source, destination: victim4 }),
      udp,
    ),
  );
  await using inside = await Capture.start(victim, 'eth0', '-Q', 'in', 'udp', 'port', String(attackPort));
  await lan.send(frames);
  expect(await host.drops('SPOOFED')).toBe(before + frames.length);
  expect(inside.lines).toEqual([]);
});
