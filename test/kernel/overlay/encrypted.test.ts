import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { between, families, ip } from '../tables/say.ts';
import { endpoints, memberNode, networks, remotes } from '../world/plan.ts';
import { at, enterMounts, numbers, ThreeHosts, wireUnderlay } from './three-hosts.ts';
import type { TunnelHost } from './tunnel-host.ts';
import { packetsOf, watch } from './watch.ts';
import { inCryptTunnel, wireDevice } from './wire.ts';

// What an encrypted network sends by the device that stands for WireGuard's, takes from it, and takes from nowhere else.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const [x, z] = [endpoints.x, remotes.z];
const vni = networks.wide.number;

let hosts: ThreeHosts;
beforeAll(async () => {
  enterMounts();
  hosts = await ThreeHosts.create(wireUnderlay);
});
afterAll(() => hosts?.[Symbol.asyncDispose]());
afterEach(async () => {
  for (const host of [hosts.near, hosts.far]) host.encrypt(true);
  await hosts.restore();
});

const keyOf = ({ key }: TunnelHost) => key ?? '';
const flows = (host: TunnelHost) => [...host.maps.conntrack.entries()];

describe.each(families)('IPv%i', (family) => {
  const udp = build.udp({ source: 1000, destination: 53 });
  const asks = between('z', 'x', family, udp);
  const ping = async (flags: string[] = []) =>
    (await hosts.near.container('x').exec('ping', '-n', '-c', '1', '-W', '1', ...flags, at('z', family))).status === 0;

  test('all that leaves goes to the device, and the wire between the hosts sees nothing of it', async () => {
    const [inside, outside] = [
      await watch(hosts.near, wireDevice),
      await watch(hosts.near, 'uplink0', 'not', 'arp', 'and', 'not', 'icmp6', 'and', 'not', 'ip6', 'multicast'),
    ];
    expect(await ping(['-s', '3000'])).toBe(true);
    // What is seen last: all before it has been.
    const { address } = hosts.far;
    expect((await hosts.near.exec('ping', '-n', '-c', '1', '-W', '2', address)).status).toBe(0);
    await outside.until(/echo reply/);
    expect(outside.output.match(/> .*: /g)).toEqual([`> ${address}: `, `> ${hosts.near.address}: `]);
    await expect.poll(() => packetsOf(inside).length).toBeGreaterThanOrEqual(6);
    for (const packet of packetsOf(inside)) expect(packet).toMatch(/^6.{11}1140fd/);
  });

  test("the smallest packet arrives as it was sent, under the sender's MAC", async () => {
    const frame = build.packet(
      build.eth({ source: z.mac, destination: x.mac }),
      ip(family, at('z', family), at('x', family)),
      build.echo(family, 'request'),
    );
    const container = hosts.near.container('x');
    const dump = await watch(container, 'eth0', '-c', '1', 'icmp or icmp6[0] == 128');
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame))).toEqual({});
    await dump.ended();
    expect(packetsOf(dump)).toEqual([Buffer.from(frame).toString('hex')]);
  });

  test('a key that is used, and one that is still accepted, are; any other is not', async () => {
    const { near, far, third } = hosts;
    const comes = (from: string) => near.drops(() => far.forge(near, asks, { from }));
    const [used, also] = [keyOf(far), far.keys[1] ?? ''];
    const refused = { SPOOFED_TUNNEL: 1 };
    expect([await comes(used), await comes(also), await comes(keyOf(third))]).toEqual([{}, refused, refused]);
    near.addNode(1, far, ['z'], { also: parseAddress(also) });
    expect([await comes(used), await comes(also), await comes(keyOf(third))]).toEqual([{}, {}, refused]);
    near.addNode(1, far, ['z'], { to: parseAddress(also) });
    expect([await comes(used), await comes(also)]).toEqual([refused, {}]);
    for (const from of ['::', keyOf(near), hosts.stranger, '::ffff:c000:202']) {
      expect([from, await comes(from)]).toEqual([from, refused]);
    }
    expect(flows(near)).toHaveLength(1);
  });

  test('a host without a key is not heard, whatever it says', async () => {
    const { near, far } = hosts;
    near.addNode(1, far, ['z'], { to: new Uint8Array(16) });
    for (const from of ['::', keyOf(far), '::1']) {
      expect(await near.drops(() => far.forge(near, asks, { from }))).toEqual({ SPOOFED_TUNNEL: 1 });
    }
    // The containers' own stacks speak to groups meanwhile.
    const drops = await near.drops(async () => expect(await ping()).toBe(false));
    expect(drops.NO_KEY).toBeGreaterThanOrEqual(1);
  });

  test('what comes in the clear is dropped, of a known flow, too', async () => {
    const { near, far } = hosts;
    expect(await near.drops(() => far.forgeInTheClear(near, asks))).toEqual({ NOT_ENCRYPTED: 1 });
    expect(flows(near)).toEqual([]);
    expect(await near.drops(() => far.forge(near, asks))).toEqual({});
    expect(await near.drops(() => far.forgeInTheClear(near, asks))).toEqual({ NOT_ENCRYPTED: 1 });
    expect(flows(near)).toMatchObject([[{}, { packetsOriginal: 1n }]]);
  });

  test.each(['near', 'far'] as const)('while only %s encrypts, nothing passes either way', async (name) => {
    const other = name === 'near' ? hosts.far : hosts.near;
    other.encrypt(false);
    const drops: unknown[] = [];
    const there = await hosts.far.drops(async () => drops.push(await hosts.near.drops(() => ping())));
    expect(there).toEqual(name === 'far' ? { NOT_ENCRYPTED: 1 } : { UNKNOWN_TUNNEL: 1 });
    expect(drops).toEqual([{}]);
  });

  test('what met congestion on the way says so, if it can', async () => {
    const { near, far } = hosts;
    const tosOf = async (tos: number, outside: number) => {
      const frame = build.packet(
        build.eth({ source: z.mac, destination: x.mac }),
        ip(family, at('z', family), at('x', family), { tos }),
        build.udp({ source: 1000, destination: 53 }),
      );
      const container = near.container('x');
      const dump = container.spawn('tcpdump', '-vnli', 'eth0', '-xx', '-c', '1', 'udp and dst port 53');
      await dump.until(/listening/);
      const tunnel = { from: keyOf(far), to: keyOf(near), vni, trafficClass: outside };
      await near.wire?.bring(near, inCryptTunnel(frame, tunnel));
      await dump.ended();
      const hex = Buffer.from(packetsOf(dump)[0] ?? '', 'hex');
      expect(dump.output).not.toContain('bad');
      return family === 4 ? hex[15] : (hex.readUInt16BE(14) >> 4) & 0xff;
    };
    expect([await tosOf(2, 3), await tosOf(1, 3), await tosOf(0, 3), await tosOf(2, 2)]).toEqual([3, 3, 0, 2]);
  });

  test('a frame to a group goes to each host under its own key, and plain to who is here', async () => {
    const { near, far, third } = hosts;
    // Hosts before the neighbour: its slot must not get what was wrapped for them.
    const members = [memberNode + 1, memberNode + 2, near.index(`vt${numbers.x}`), near.index(`vt${numbers.y}`)];
    for (const [slot, member] of members.entries()) near.maps.members.set({ network: vni, slot }, member);
    const group = family === 4 ? '239.1.2.3' : 'ff02::1:2:3';
    for (const [name, sandbox] of [
      ['y', near.container('y')],
      ['z', far.container('z')],
    ] as const) {
      await sandbox.spawn('python3', `${programs}group.py`, 'listen', group, '7000', 'eth0', name).until(/ready/);
    }
    const dump = await watch(near, wireDevice, 'ip6[40:4] == 0 and ip6 src', keyOf(near));
    const asked = await near.container('x').exec('python3', `${programs}group.py`, 'ask', group, '7000', 'eth0');
    expect(JSON.parse(asked.stdout)).toEqual(['y', 'z']);
    const ends = packetsOf(dump).map((packet) => packet.slice(16, 80));
    for (const to of [far, third]) {
      const both = [near, to].map((host) => Buffer.from(parseAddress(keyOf(host))).toString('hex')).join('');
      expect(ends).toContain(both);
    }
    const { maps } = near;
    near.addNode(2, third, [], { to: new Uint8Array(16) });
    const dropped = await near.drops(() =>
      near.container('x').exec('python3', `${programs}group.py`, 'ask', group, '7000', 'eth0'),
    );
    expect(dropped).toEqual({ NO_KEY: 1 });
    for (const [slot, member] of [members[2], members[3], members[0], members[1]].entries()) {
      maps.members.set({ network: vni, slot }, member ?? 0);
    }
    near.addNode(2, third, []);
  });

  test("a container's own tunnel passes through it", async () => {
    const own = { x: hosts.near.container('x'), z: hosts.far.container('z') };
    for (const [name, other, number] of [
      ['x', 'z', 1],
      ['z', 'x', 2],
    ] as const) {
      own[name].ip(
        `link add own0 type vxlan id 9 remote ${at(other, family)} dstport 4790`,
        `address add 172.31.0.${number}/24 dev own0`,
        'link set own0 mtu 1250 up',
      );
    }
    expect((await own.x.exec('ping', '-n', '-c', '2', '-i', '0.2', '-W', '2', '172.31.0.2')).status).toBe(0);
    for (const container of [own.x, own.z]) container.ip('link delete own0');
  });
});

describe('what comes out of the device and is no tunnel of ours', () => {
  const frame = between('z', 'x', 4, build.udp({ source: 1000, destination: 53 }));
  const ends = () => ({ from: keyOf(hosts.far), to: keyOf(hosts.near), vni });
  const changed = (at: number, value: number) => {
    const bytes = inCryptTunnel(frame, ends());
    bytes[at] = value;
    return bytes;
  };
  const ethernet = build.eth({ source: z.mac, destination: x.mac });
  const udp = build.udp({ source: 0, destination: 0 });

  test.each([
    [
      'IPv4',
      () =>
        build.packet(ethernet, build.ipv4({ source: z.ip4, destination: x.ip4 }), udp, build.payload(80)).subarray(14),
    ],
    ['TCP', () => changed(6, 6)],
    ['with headers of extension', () => changed(6, 0)],
    ['to another port', () => changed(43, 53)],
    ["to VXLAN's port", () => changed(42, 4789 >> 8)],
    ['with flags that we do not know', () => changed(48, 0x88)],
    ['without a number', () => changed(48, 0)],
    ['with what is to be zero', () => changed(55, 1)],
    ['of a network that this host does not have', () => inCryptTunnel(frame, { ...ends(), vni: vni + 1 })],
    ['of no network', () => inCryptTunnel(frame, { ...ends(), vni: 0 })],
    ['of a number that no network has', () => inCryptTunnel(frame, { ...ends(), vni: 0xffffff })],
    ["of a network of this host's own", () => inCryptTunnel(frame, { ...ends(), vni: networks.blue.number })],
    ['cut within its headers', () => inCryptTunnel(frame, ends()).subarray(0, 69)],
    ['hardly anything', () => inCryptTunnel(frame, ends()).subarray(0, 41)],
  ])('%s: is dropped', async (_, bytes) => {
    expect(await hosts.near.drops(() => hosts.near.wire?.bring(hosts.near, bytes()))).toEqual({ UNKNOWN_TUNNEL: 1 });
    expect(flows(hosts.near)).toEqual([]);
  });

  test('a train that the stack has made of several is dropped', async () => {
    const large = between('z', 'x', 4, build.udp({ source: 1000, destination: 53 }), build.payload(3000));
    const bytes = inCryptTunnel(large, ends());
    expect(await hosts.near.drops(() => hosts.near.wire?.bring(hosts.near, bytes, 1000))).toEqual({
      UNKNOWN_TUNNEL: 1,
    });
    expect(await hosts.near.drops(() => hosts.near.wire?.bring(hosts.near, bytes))).toEqual({});
  });

  test('a network that spans hosts and is not encrypted gets nothing by it', async () => {
    hosts.near.encrypt(false);
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame))).toEqual({ UNKNOWN_TUNNEL: 1 });
    hosts.near.encrypt(true);
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame))).toEqual({});
  });

  test('what is cut within the packet inside is dropped, at every byte', async () => {
    const whole = between('z', 'x', 4, build.tcp({ source: 1, destination: 2 }));
    for (let bytes = 14; bytes < whole.length; bytes += 5) {
      const drops = await hosts.near.drops(() => hosts.far.forge(hosts.near, whole.subarray(0, bytes)));
      expect([bytes, drops]).toEqual([bytes, { TRUNCATED: 1 }]);
    }
    expect(flows(hosts.near)).toEqual([]);
  });

  test('a protocol that the network does not carry is dropped', async () => {
    const other = build.packet(build.eth({ source: z.mac, destination: x.mac, etherType: 0x88cc }), build.payload(60));
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, other))).toEqual({ UNKNOWN_PROTOCOL: 1 });
  });
});
