import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import * as build from '../packet/build.ts';
import { addressOf, between, families, ip } from '../tables/say.ts';
import { endpoints, networks, remotes } from '../world/plan.ts';
import { at, enterMounts, numbers, ThreeHosts, underlays } from './three-hosts.ts';

// What nodes, and those who pass for one, send in tunnels of their own making.

const [x, y, z] = [endpoints.x, endpoints.y, remotes.z];

beforeAll(enterMounts);

describe.each(underlays)('over $name', (underlay) => {
  let hosts: ThreeHosts;
  beforeAll(async () => {
    hosts = await ThreeHosts.create(underlay);
  });
  afterAll(() => hosts?.[Symbol.asyncDispose]());
  afterEach(() => hosts.restore());

  describe.each(families)('IPv%i', (family) => {
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
      expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame))).toEqual({ [reason]: 1 });
      expect([...hosts.near.maps.conntrack.rawEntries()]).toEqual([]);
    });

    test('a well made packet from the node that has its sender is let in, and from any other address is not', async () => {
      const frame = between('z', 'x', family, udp);
      expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame, { from: hosts.stranger }))).toEqual({
        SPOOFED_TUNNEL: 1,
      });
      expect(await hosts.near.drops(() => hosts.third.forge(hosts.near, frame))).toEqual({ SPOOFED_TUNNEL: 1 });
      expect([...hosts.near.maps.conntrack.rawEntries()]).toEqual([]);
      expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame))).toEqual({});
      expect([...hosts.near.maps.conntrack.entries()]).toMatchObject([
        [{ network: networks.wide.number }, { owner: numbers.x }],
      ]);
    });

    test('a node that has not the sender of a known flow does not speak in it', async () => {
      expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, between('z', 'x', family, udp)))).toEqual({});
      expect(await hosts.near.drops(() => hosts.third.forge(hosts.near, between('z', 'x', family, udp)))).toEqual({
        SPOOFED_TUNNEL: 1,
      });
      expect([...hosts.near.maps.conntrack.entries()]).toMatchObject([[{}, { packetsOriginal: 1n }]]);
    });

    test.each([
      ['a network that this host does not have', networks.wide.number + 1],
      ["a network of this host's own", networks.blue.number],
      ['no network', 0],
      ['a number that no network has', 0xffffff],
    ])('a tunnel for %s leads nowhere', async (_name, vni) => {
      const frame = between('z', 'x', family, udp);
      expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, frame, { vni }))).toEqual({ UNKNOWN_TUNNEL: 1 });
    });
  });

  test('who has an address is asked in no tunnel', async () => {
    const arp = build.packet(
      build.eth({ source: z.mac, destination: build.broadcastMac }),
      build.arp({ operation: 'request', senderMac: z.mac, senderIp: z.ip4, targetIp: x.ip4 }),
    );
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, arp))).toEqual({ ARP_UNANSWERED: 1 });
    const solicitation = build.packet(
      build.eth({ source: z.mac, destination: build.groupMac(build.solicitedNode(x.ip6)) }),
      build.ipv6({ source: z.ip6, destination: build.solicitedNode(x.ip6), hopLimit: 255 }),
      build.neighbourSolicitation(x.ip6, z.mac),
    );
    const before = hosts.near.unanswered;
    await hosts.far.forge(hosts.near, solicitation);
    expect(hosts.near.unanswered).toBeGreaterThan(before);
    const redirect = build.packet(
      build.eth({ source: z.mac, destination: x.mac }),
      build.ipv4({ source: z.ip4, destination: x.ip4 }),
      build.icmpErrors.redirect(),
    );
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, redirect))).toEqual({ ROUTER_ADVERTISEMENT: 1 });
  });

  test('what is cut within its headers is dropped', async () => {
    const whole = between('z', 'x', 4, build.tcp({ source: 1, destination: 2 }));
    expect(await hosts.near.drops(() => hosts.far.forge(hosts.near, whole.subarray(0, 40)))).toEqual({ TRUNCATED: 1 });
  });

  test("a node's frames are not taken before the control plane has written the configuration", async () => {
    const config = hosts.near.maps.config.get(0);
    if (!config) throw new Error('there is no configuration');
    hosts.near.maps.config.set(0, { ...config, hostIfindex: 0 });
    const frame = between('z', 'x', 4, build.udp({ source: 1, destination: 2 }));
    const { CONFIG_MISSING, ...others } = await hosts.near.drops(() => hosts.far.forge(hosts.near, frame));
    // Containers' stacks may say something of their own meanwhile.
    expect([CONFIG_MISSING ?? 0, others]).toEqual([expect.toSatisfy((count: number) => count > 0), {}]);
    hosts.near.maps.config.set(0, config);
  });
});
