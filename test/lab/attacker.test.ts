import { afterAll, beforeAll, expect, test } from 'vitest';
import * as build from '../kernel/packet/build.ts';
import { attackPort, attacks, droppedBetween, nobodysMac, type Scene } from './attacks.ts';
import { Capture } from './capture.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import type { Background } from './process.ts';
import { RawSender } from './raw-sender.ts';
import { ask, ping, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

// Root in a container, with NET_RAW and NET_ADMIN: nothing escapes, nobody is harmed, everything is counted.

let lab: Lab;
let host: Host;
let outside: Client;
let victim: Container;
let friend: Container;
let attacker: Container;
let stranger: Container;
let scene: Scene;
let raw: RawSender;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'other', '--subnet', '10.89.0.0/16', '--subnet', 'fd00:89::/64');
  const attach = async (network: string, name: string, ...flags: string[]) => {
    const [container, endpoint] = await host.attach(network, name, ...flags);
    return [container, neighbourOf(endpoint)] as const;
  };
  const [container, victimIs] = await attach('web', 'victim', '--publish', '8080:80', '--publish', '8080:80/udp');
  victim = container;
  const [friendContainer, friendIs] = await attach('web', 'friend');
  friend = friendContainer;
  const [attackerContainer, attackerIs] = await attach('web', 'attacker');
  attacker = attackerContainer;
  const [strangerContainer, strangerIs] = await attach('other', 'stranger');
  stranger = strangerContainer;
  const mac = /link\/ether (\S+)/.exec(await host.must('ip', 'link', 'show', 'vetch0'))?.[1] ?? '';
  const linkLocal = /inet6 (fe80:\S+)\//.exec(await attacker.must('ip', '-6', 'address', 'show', 'eth0'))?.[1] ?? '';
  scene = {
    attacker: { ...attackerIs, linkLocal },
    victim: victimIs,
    friend: { ...friendIs, port: 45000 },
    gateway: { mac, address4: '10.88.0.1', address6: 'fd00:88::1' },
    stranger: strangerIs,
    strangersGateway: { address4: '10.89.0.1', address6: 'fd00:89::1' },
    host,
    outside,
  };
  for (const machine of [victim, stranger, outside]) {
    await serve(machine, 'tcp', 80);
    await serve(machine, 'udp', 80);
  }
  raw = await RawSender.start(attacker);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

function neighbourOf({ mac, addresses }: AttachedEndpoint) {
  const [address4 = '', address6 = ''] = addresses.map((address) => address.split('/')[0] ?? '');
  return { mac, address4, address6 };
}

/** A conversation that goes on; it ends well only if each of its messages is answered. */
function converse(machine: Machine, address: string, port: number, seconds: number, ...flags: string[]): Background {
  const program = new URL('./programs/client.py', import.meta.url).pathname;
  const pace = ['--count', String(seconds * 10), '--interval', '0.1', '--timeout', '5'];
  return machine.spawn('python3', program, 'tcp', address, String(port), ...pace, ...flags);
}

async function dropsOf(): Promise<Record<string, number>> {
  return { ...(await host.status()).drops };
}

/** New connections of everybody who has nothing to do with the attacker. */
async function othersAreWell(): Promise<void> {
  const { address4, address6 } = scene.victim;
  const answers = await Promise.all([
    ask(friend, 'tcp', address4, 80),
    ask(friend, 'udp', address6, 80),
    ask(friend, 'tcp', outside.address4, 80),
    ask(outside, 'tcp', host.address6, 8080),
  ]);
  expect(answers.map(({ ok, error }) => error ?? ok)).toEqual([true, true, true, true]);
}

/** What the victim believes of its network. */
async function beliefs(): Promise<string> {
  const neighbours = (await victim.must('ip', '-o', 'neighbour')).split('\n');
  const known = neighbours.filter((line) => line.includes(scene.gateway.mac) || line.includes(scene.friend.mac));
  const wrong = neighbours.filter((line) => line.includes(scene.attacker.mac) || line.includes(nobodysMac));
  expect(known.length).toBeGreaterThan(0);
  // What the attacker says of itself may be believed.
  const own = [scene.attacker.address4, scene.attacker.address6, scene.attacker.linkLocal];
  expect(wrong.filter((line) => !own.includes(line.split(' ')[0] ?? ''))).toEqual([]);
  return (await victim.must('sh', '-c', 'ip route; ip -6 route')).replace(/expires \S+/g, '');
}

test('nothing forged escapes a container, nobody else is harmed, and each is counted under its reason', async () => {
  const { address4, address6 } = scene.victim;
  await othersAreWell();
  const before = await beliefs();
  const flags = ['--source-port', String(scene.friend.port)];
  const streams = [
    converse(friend, address4, 80, 20, ...flags),
    converse(friend, address6, 80, 20, ...flags),
    converse(outside, host.address4, 8080, 20, ...flags),
    converse(outside, host.address6, 8080, 20, ...flags),
  ];
  // What comes in at the victim and at the host, and what leaves the host.
  const places: readonly (readonly [Machine, string, string])[] = [
    [victim, 'eth0', 'in'],
    [stranger, 'eth0', 'in'],
    [host, 'vetch0', 'in'],
    [host, 'eth0', 'out'],
    [outside, 'eth0', 'in'],
  ];
  const captures = await Promise.all(
    places.map(([machine, device, direction]) => Capture.start(machine, device, '-Q', direction)),
  );
  const failures: string[] = [];
  let counted = await dropsOf();
  for (const { name, reason, frames } of attacks(scene)) {
    expect(await raw.send(frames), name).toBe(frames.length);
    const now = await dropsOf();
    const seen = droppedBetween(counted, now, reason);
    if (seen !== `${reason} ${frames.length}`) failures.push(`${name}: ${seen}, not ${reason} ${frames.length}`);
    counted = now;
  }
  await othersAreWell();
  const forged = new RegExp(
    [scene.attacker.mac, nobodysMac, `\\.${attackPort}\\b`, 'VXLAN', 'frag', 'vlan', '802\\.1Q', 'redirect', 'DHCP']
      .concat(['BOOTP', 'router advertisement', 'unreachable', 'need to frag', 'too big', 'Flags \\[R'])
      .join('|'),
  );
  const escaped = captures.flatMap(({ lines }, at) =>
    lines.filter((line) => forged.test(line)).map((line) => `${places[at]?.[0].name} ${places[at]?.[1]}: ${line}`),
  );
  expect([...failures, ...escaped]).toEqual([]);
  expect(captures[0]?.lines.length).toBeGreaterThan(100); // the conversation: the capture does see
  for (const stream of streams) expect(await stream.ended(), stream.output).toBe(0);
  expect(await beliefs()).toBe(before);
});

test('networks are isolated both ways, and from the addresses of each other', async () => {
  const before = await host.drops('ISOLATED');
  const pairs = [
    [attacker, scene.stranger],
    [stranger, scene.victim],
  ] as const;
  const replies = await Promise.all(
    pairs.flatMap(([machine, { address4, address6 }]) =>
      [address4, address6].flatMap((address) => [
        ask(machine, 'tcp', address, 80, '--timeout', '0.5'),
        ask(machine, 'udp', address, 80, '--timeout', '0.5'),
      ]),
    ),
  );
  expect(replies.map(({ ok }) => ok)).toEqual(replies.map(() => false));
  expect(await host.drops('ISOLATED')).toBeGreaterThanOrEqual(before + replies.length);
});

test('a broadcast flood ends at its rate, and broadcasts of others still arrive', async () => {
  const { attacker: own, friend: other, victim: target } = scene;
  const before = await dropsOf();
  await using capture = await Capture.start(victim, 'eth0', '-Q', 'in', 'udp', 'port', String(attackPort));
  const stream = converse(friend, target.address4, 80, 2);
  const frame = (source: { mac: string; address4: string }) =>
    build.packet(
      build.eth({ destination: build.broadcastMac, source: source.mac }),
      build.ipv4({ source: source.address4, destination: '255.255.255.255' }),
      build.udp({ source: attackPort, destination: attackPort }),
    );
  const began = Date.now();
  const sent = await raw.send([frame(own)], { times: 10_000, seconds: 3 });
  const seconds = (Date.now() - began) / 1000;
  const friendly = await RawSender.start(friend);
  await friendly.send([frame(other)]);
  await capture.until(new RegExp(`${other.mac} > `));
  const arrived = capture.lines.filter((line) => line.includes(own.mac)).length;
  const limited = ((await dropsOf()).FLOOD_LIMITED ?? 0) - (before.FLOOD_LIMITED ?? 0);
  expect(arrived).toBeGreaterThan(0);
  expect(arrived).toBeLessThanOrEqual(500 * (seconds + 1.1));
  expect(limited).toBe(sent - arrived);
  expect(await stream.ended(), stream.output).toBe(0);
});

test('a flood of flows to the world ends at the quota of one container, and others still reach it', async () => {
  const frame = build.packet(
    build.eth({ destination: scene.gateway.mac, source: scene.attacker.mac }),
    build.ipv4({ source: scene.attacker.address4, destination: outside.address4 }),
    build.udp({ source: 1, destination: 9, checksum: 0 }),
  );
  const stream = converse(friend, outside.address4, 80, 2);
  const before = await host.drops('SNAT_QUOTA');
  const flood = raw.send([frame], { times: 8_000, random: [[34, 2]] });
  await othersAreWell();
  const sent = await flood;
  const refused = (await host.drops('SNAT_QUOTA')) - before;
  expect(refused).toBeGreaterThan(2_000);
  expect(refused).toBeLessThan(sent);
  await othersAreWell();
  expect(await stream.ended(), stream.output).toBe(0);
});

test('a flood of flows to a neighbour ends at the quota, and others reach the neighbour during and after', async () => {
  const { attacker: own, victim: target } = scene;
  const stream = converse(friend, target.address6, 80, 4);
  const before = await host.drops('FLOW_QUOTA');
  const frame = build.packet(
    build.eth({ destination: target.mac, source: own.mac }),
    build.ipv4({ source: own.address4, destination: target.address4 }),
    build.udp({ source: 1, destination: 1, checksum: 0 }),
  );
  const flood = raw.send([frame], { times: 50_000, random: [[34, 4]], seconds: 8 });
  await othersAreWell();
  expect(await flood).toBeGreaterThan(40_000);
  expect((await host.drops('FLOW_QUOTA')) - before).toBeGreaterThan(1_000);
  expect(await ask(attacker, 'tcp', target.address4, 80, '--timeout', '0.5')).toMatchObject({ ok: false });
  await othersAreWell();
  // Who is not to blame may still speak to who is.
  expect(await ping(friend, own.address4)).toBe(0);
  expect(await stream.ended(), stream.output).toBe(0);
});
