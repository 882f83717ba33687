import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { NamespaceType, unshare } from '../../../src/loader/ffi/libc.ts';
import { createNetns, type Netns, withNetns } from '../../../src/netlink/netns.ts';
import * as build from '../packet/build.ts';
import { addressOf, between, families, ip } from '../tables/say.ts';
import { endpoints, networks, remotes } from '../world/plan.ts';
import { allow, deny } from '../world/policy.ts';
import { type Sandbox, TunnelHost, type WideName, wideEndpoint } from './tunnel-host.ts';

// Hosts in namespaces, each with programs and maps of its own, and the kernel's VXLAN between them.

const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const [x, y, z] = [endpoints.x, endpoints.y, remotes.z];

/** Numbers of the endpoints on their hosts. */
const numbers = { x: 17, y: 18, z: 19 } as const;

const at = (name: WideName, family: 4 | 6) => wideEndpoint(name)[`ip${family}`];

interface Reply {
  readonly ok: boolean;
  readonly reply: string | null;
  readonly error: string | null;
}

async function ask(from: Sandbox, transport: string, to: string, port: number, ...flags: string[]): Promise<Reply> {
  const args = [`${programs}client.py`, transport, to, String(port), '--timeout', '2', ...flags];
  const { stdout, stderr } = await from.exec('python3', ...args);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Reply;
}

async function serve(on: Sandbox, transport: string, port: number, name: string): Promise<void> {
  await on.spawn('python3', `${programs}server.py`, transport, '::', String(port), name).until(/ready/);
}

beforeAll(() => {
  unshare(NamespaceType.MOUNT);
  execFileSync('mount', ['--make-rprivate', '/']);
});

describe.each([
  ['IPv4', '192.0.2.', '192.0.2.99'],
  ['IPv6', '2001:db8:f::', '2001:db8:f::99'],
])('over %s', (_outer, prefix, stranger) => {
  let fabric: Netns;
  /** `x` and `y` are on the first, `z` on the second, and nobody on the third. */
  let near: TunnelHost;
  let far: TunnelHost;
  let third: TunnelHost;

  beforeAll(() => {
    fabric = createNetns();
    withNetns(fabric, () => {
      execFileSync('ip', ['link', 'add', 'switch', 'up', 'type', 'bridge', 'mcast_snooping', '0']);
    });
    near = TunnelHost.create('near', `${prefix}1`, fabric);
    far = TunnelHost.create('far', `${prefix}2`, fabric, [stranger]);
    third = TunnelHost.create('third', `${prefix}3`, fabric);
    near.addContainer('x', numbers.x);
    near.addContainer('y', numbers.y);
    far.addContainer('z', numbers.z);
    near.addNode(1, far, ['z']);
    near.addNode(2, third, []);
    far.addNode(1, near, ['x', 'y']);
    third.addNode(1, near, ['x', 'y']);
  });
  afterAll(async () => {
    for (const host of [near, far, third]) await host?.[Symbol.asyncDispose]();
    fabric?.close();
  });
  afterEach(async () => {
    for (const sandbox of [near.container('x'), near.container('y'), far.container('z')]) await sandbox.stop();
    near.release('x', numbers.x);
    near.release('y', numbers.y);
    far.release('z', numbers.z);
    near.addNode(1, far, ['z']);
    for (const { maps } of [near, far]) {
      for (const map of [maps.conntrack, maps.fragments, maps.policy]) {
        map.deleteManyRaw([...map.rawEntries()].map(([key]) => key));
      }
    }
  });

  describe.each(families)('IPv%i', (family) => {
    test('TCP, UDP and ping pass both ways, and nothing is dropped', async () => {
      const [here, there] = [near.container('x'), far.container('z')];
      await serve(there, 'tcp', 80, 'z');
      await serve(there, 'udp', 53, 'z');
      await serve(here, 'tcp', 80, 'x');
      const drops = await near.drops(async () => {
        expect(
          await far.drops(async () => {
            const own = { x: at('x', family), z: at('z', family) };
            expect(await ask(here, 'tcp', own.z, 80)).toMatchObject({ ok: true });
            expect((await ask(here, 'udp', own.z, 53)).reply).toContain(`z peer=${own.x},`);
            expect((await ask(there, 'tcp', own.x, 80)).reply).toContain(`x peer=${own.z},`);
            expect((await here.exec('ping', '-n', '-c', '2', '-i', '0.2', '-W', '2', own.z)).status).toBe(0);
          }),
        ).toEqual({});
      });
      expect(drops).toEqual({});
    });

    test('datagrams in fragments arrive whole', async () => {
      await serve(far.container('z'), 'udp', 53, 'z');
      const { reply } = await ask(near.container('x'), 'udp', at('z', family), 53, '--size', '9000');
      expect(reply).toContain('bytes=9000');
    });

    test('an error comes back to who sent what it is about', async () => {
      expect(await ask(near.container('x'), 'udp', at('z', family), 54)).toMatchObject({ error: 'ECONNREFUSED' });
      expect(await ask(far.container('z'), 'udp', at('x', family), 54)).toMatchObject({ error: 'ECONNREFUSED' });
    });

    test('bulk goes both ways, in trains of segments through the device', async () => {
      const [bytes, there] = [32_000_000, far.container('z')];
      await there.spawn('python3', `${programs}bulk.py`, 'serve', '5001').until(/ready/);
      await there.spawn('python3', `${programs}bulk.py`, 'pour', '5002', String(bytes)).until(/ready/);
      const bulk = async (...args: string[]) =>
        (await near.container('x').exec('python3', `${programs}bulk.py`, ...args)).stdout.trim();
      const before = near.tunnelled;
      expect(await bulk('send', at('z', family), '5001', String(bytes))).toBe(String(bytes));
      expect(bytes / (near.tunnelled - before)).toBeGreaterThan(2 * near.mtu);
      expect(await bulk('fetch', at('z', family), '5002')).toBe(String(bytes));
    });

    test('what the tunnel does not take is dropped, and its sender learns how large it may be', async () => {
      const here = near.container('x');
      here.ip('link set eth0 mtu 1500');
      const ping = () => here.exec('ping', '-n', '-c', '1', '-W', '2', '-M', 'do', '-s', '1440', at('z', family));
      expect(
        await near.drops(async () => {
          const { stdout, stderr } = await ping();
          expect(stdout + stderr).toMatch(new RegExp(`mtu ?[=:] ?${near.mtu}`));
        }),
      ).toEqual({ TOO_BIG: 1 });
      await serve(far.container('z'), 'udp', 53, 'z');
      const { reply } = await ask(here, 'udp', at('z', family), 53, '--size', '3000');
      expect(reply).toContain('bytes=3000');
      here.ip(`link set eth0 mtu ${near.mtu}`);
    });

    test('a frame to a group reaches the members of every host, also when one here is refused', async () => {
      const group = family === 4 ? '239.1.2.3' : 'ff02::1:2:3';
      const program = `${programs}group.py`;
      for (const [name, sandbox] of [
        ['y', near.container('y')],
        ['z', far.container('z')],
      ] as const) {
        await sandbox.spawn('python3', program, 'listen', group, '7000', 'eth0', name).until(/ready/);
      }
      const hearers = async (from: Sandbox) =>
        JSON.parse((await from.exec('python3', program, 'ask', group, '7000', 'eth0')).stdout) as string[];
      expect(await hearers(near.container('x'))).toEqual(['y', 'z']);
      near.govern('y', numbers.y, 'INGRESS', { any: deny });
      expect(await hearers(near.container('x'))).toEqual(['z']);
      near.release('y', numbers.y);
      far.govern('z', numbers.z, 'INGRESS', { any: deny, y: allow });
      expect(await hearers(near.container('x'))).toEqual(['y']);
      far.release('z', numbers.z);
      near.govern('x', numbers.x, 'EGRESS', { any: deny, y: allow });
      expect(await hearers(near.container('x'))).toEqual(['y']);
      near.release('x', numbers.x);
    });

    test('the receiver judges by who the sender is, and a permission that is taken back ends the flow', async () => {
      await serve(far.container('z'), 'udp', 53, 'z');
      far.govern('z', numbers.z, 'INGRESS', { any: deny, x: allow });
      const asks = (name: 'x' | 'y') =>
        ask(near.container(name), 'udp', at('z', family), 53, '--source-port', '40000', '--timeout', '0.5');
      expect([(await asks('x')).ok, (await asks('y')).ok]).toEqual([true, false]);
      far.govern('z', numbers.z, 'INGRESS', { x: deny });
      expect((await asks('x')).ok).toBe(false);
      far.release('z', numbers.z);
      expect((await asks('x')).ok).toBe(true);
    });

    test('a flow follows an endpoint to another host', async () => {
      const asks = () => ask(near.container('x'), 'udp', at('z', family), 53, '--source-port', '40000');
      await serve(far.container('z'), 'udp', 53, 'before');
      expect((await asks()).reply).toContain('before');
      const moved = third.addContainer('z', numbers.z);
      await serve(moved, 'udp', 53, 'after');
      near.addNode(2, third, ['z']);
      near.judgeAgain();
      expect((await asks()).reply).toContain('after');
      expect([...near.maps.conntrack.rawEntries()]).toHaveLength(1);
      near.addNode(1, far, ['z']);
      near.judgeAgain();
      expect((await asks()).reply).toContain('before');
      expect([...near.maps.conntrack.rawEntries()]).toHaveLength(1);
      await third.removeContainer('z');
    });

    const udp = build.udp({ source: 1000, destination: 53 });
    const ethernet = build.eth({ source: z.mac, destination: x.mac });
    const unreachable = family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4);
    const from = (source: string, destination = at('x', family)) =>
      build.packet(ethernet, ip(family, source, destination), udp);
    const group = family === 4 ? '239.1.2.3' : 'ff02::1:2:3';

    test.each([
      ['from an address that nobody has', from(family === 4 ? '10.110.0.99' : 'fd00:110::99'), 'SPOOFED_TUNNEL'],
      ['from an address of this host', from(at('y', family)), 'SPOOFED_TUNNEL'],
      ['from the gateway', from(networks.wide[`gateway${family}`]), 'SPOOFED_TUNNEL'],
      ['from the world', from(addressOf('world', family)), 'SPOOFED_TUNNEL'],
      [
        'under the MAC of another',
        build.packet(
          build.eth({ source: y.mac, destination: x.mac }),
          ip(family, at('z', family), at('x', family)),
          udp,
        ),
        'SPOOFED_TUNNEL',
      ],
      [
        'to an address that nobody has',
        from(at('z', family), family === 4 ? '10.110.0.99' : 'fd00:110::99'),
        'NO_ENDPOINT',
      ],
      ['to one that is on another host', from(at('z', family), at('z', family)), 'NO_ENDPOINT'],
      ['to the gateway', from(at('z', family), networks.wide[`gateway${family}`]), 'NO_ENDPOINT'],
      ['to the world', from(at('z', family), addressOf('world', family)), 'NO_ENDPOINT'],
      [
        'of no flow',
        between('z', 'x', family, build.tcp({ source: 1, destination: 2, flags: 'R' })),
        'CONNTRACK_INVALID',
      ],
      [
        'about no flow',
        between('z', 'x', family, unreachable, ip(family, at('x', family), at('z', family)), udp),
        'ICMP_UNRELATED',
      ],
      [
        'to one in a frame to all',
        build.packet(
          build.eth({ source: z.mac, destination: build.broadcastMac }),
          ip(family, at('z', family), at('x', family)),
          udp,
        ),
        'UNICAST_IN_BROADCAST',
      ],
      ['to a group in a frame to one', build.packet(ethernet, ip(family, at('z', family), group), udp), 'MALFORMED'],
      [
        'with a VLAN tag',
        build.packet(ethernet, build.vlan(5), ip(family, at('z', family), at('x', family)), udp),
        'VLAN_TAGGED',
      ],
    ] as const)('what a node sends %s is dropped', async (_name, frame, reason) => {
      expect(await near.drops(() => far.forge(near, frame))).toEqual({ [reason]: 1 });
      expect([...near.maps.conntrack.rawEntries()]).toEqual([]);
    });

    test('a well made packet from the node that has its sender is let in, and from any other address is not', async () => {
      const frame = between('z', 'x', family, udp);
      expect(await near.drops(() => far.forge(near, frame, { from: stranger }))).toEqual({ SPOOFED_TUNNEL: 1 });
      expect(await near.drops(() => third.forge(near, frame))).toEqual({ SPOOFED_TUNNEL: 1 });
      expect([...near.maps.conntrack.rawEntries()]).toEqual([]);
      expect(await near.drops(() => far.forge(near, frame))).toEqual({});
      expect([...near.maps.conntrack.entries()]).toMatchObject([
        [{ network: networks.wide.number }, { owner: numbers.x }],
      ]);
    });

    test('a node that has not the sender of a known flow does not speak in it', async () => {
      expect(await near.drops(() => far.forge(near, between('z', 'x', family, udp)))).toEqual({});
      expect(await near.drops(() => third.forge(near, between('z', 'x', family, udp)))).toEqual({ SPOOFED_TUNNEL: 1 });
      expect([...near.maps.conntrack.entries()]).toMatchObject([[{}, { packetsOriginal: 1n }]]);
    });

    test.each([
      ['a network that this host does not have', networks.wide.number + 1],
      ["a network of this host's own", networks.blue.number],
      ['no network', 0],
      ['a number that no network has', 0xffffff],
    ])('a tunnel for %s leads nowhere', async (_name, vni) => {
      const frame = between('z', 'x', family, udp);
      expect(await near.drops(() => far.forge(near, frame, { vni }))).toEqual({ UNKNOWN_TUNNEL: 1 });
    });
  });

  test('who has an address is asked in no tunnel', async () => {
    const arp = build.packet(
      build.eth({ source: z.mac, destination: build.broadcastMac }),
      build.arp({ operation: 'request', senderMac: z.mac, senderIp: z.ip4, targetIp: x.ip4 }),
    );
    expect(await near.drops(() => far.forge(near, arp))).toEqual({ ARP_UNANSWERED: 1 });
    const solicitation = build.packet(
      build.eth({ source: z.mac, destination: build.groupMac(build.solicitedNode(x.ip6)) }),
      build.ipv6({ source: z.ip6, destination: build.solicitedNode(x.ip6), hopLimit: 255 }),
      build.neighbourSolicitation(x.ip6, z.mac),
    );
    const before = near.unanswered;
    await far.forge(near, solicitation);
    expect(near.unanswered).toBeGreaterThan(before);
    const redirect = build.packet(
      build.eth({ source: z.mac, destination: x.mac }),
      build.ipv4({ source: z.ip4, destination: x.ip4 }),
      build.icmpErrors.redirect(),
    );
    expect(await near.drops(() => far.forge(near, redirect))).toEqual({ ROUTER_ADVERTISEMENT: 1 });
  });

  test('what is cut within its headers is dropped', async () => {
    const whole = between('z', 'x', 4, build.tcp({ source: 1, destination: 2 }));
    expect(await near.drops(() => far.forge(near, whole.subarray(0, 40)))).toEqual({ TRUNCATED: 1 });
  });

  test("a node's frames are not taken before the control plane has written the configuration", async () => {
    const config = near.maps.config.get(0);
    if (!config) throw new Error('there is no configuration');
    near.maps.config.set(0, { ...config, hostIfindex: 0 });
    const frame = between('z', 'x', 4, build.udp({ source: 1, destination: 2 }));
    expect(await near.drops(() => far.forge(near, frame))).toEqual({ CONFIG_MISSING: 1 });
    near.maps.config.set(0, config);
  });
});
