import * as build from '../packet/build.ts';
import { endpoints, networks, uplink } from '../world/plan.ts';
import { addressOf, between, families, ip, type PacketCase, sends, viaGateway } from './say.ts';

const { a, b } = endpoints;
const udp = build.udp({ source: 1000, destination: 2000 });
const frame = (source: string, destination: string, ...layers: build.Layer[]) =>
  build.packet(build.eth({ source, destination }), ...layers);

/** What a container with every capability may try. */
export const guard: readonly PacketCase[] = [
  ...families.flatMap((family): PacketCase[] => {
    const [own, other, world] = [addressOf('a', family), addressOf('b', family), addressOf('world', family)];
    return [
      {
        name: `another's IPv${family} address, MAC or both are spoofed`,
        steps: [
          sends('a', frame(a.mac, b.mac, ip(family, other, own), udp), { verdict: 'drop', reason: 'SPOOFED' }),
          sends('a', frame(b.mac, b.mac, ip(family, own, other), udp), { verdict: 'drop', reason: 'SPOOFED' }),
          sends('a', frame(b.mac, a.mac, ip(family, other, own), udp), { verdict: 'drop', reason: 'SPOOFED' }),
          sends('a', frame(a.mac, b.mac, ip(family, world, other), udp), { verdict: 'drop', reason: 'SPOOFED' }),
        ],
      },
      {
        name: `the host's IPv${family} addresses are spoofed, too`,
        steps: [
          sends('a', frame(a.mac, b.mac, ip(family, addressOf('host', family), other), udp), {
            verdict: 'drop',
            reason: 'SPOOFED',
          }),
          sends(
            'a',
            frame(a.mac, b.mac, ip(family, family === 4 ? networks.blue.gateway4 : networks.blue.gateway6, other), udp),
            { verdict: 'drop', reason: 'SPOOFED' },
          ),
        ],
      },
      {
        name: `a unicast IPv${family} packet in a broadcast or multicast frame is dropped`,
        steps: [
          sends('a', frame(a.mac, build.broadcastMac, ip(family, own, other), udp), {
            verdict: 'drop',
            reason: 'UNICAST_IN_BROADCAST',
          }),
          sends('a', frame(a.mac, '01:00:5e:00:00:fb', ip(family, own, other), udp), {
            verdict: 'drop',
            reason: 'UNICAST_IN_BROADCAST',
          }),
        ],
      },
      {
        name: `a loopback IPv${family} address is no destination`,
        steps: [
          sends('a', viaGateway('a', family === 4 ? '127.0.0.1' : '::1', family, udp), {
            verdict: 'drop',
            reason: 'MARTIAN',
          }),
        ],
      },
      {
        name: `the tunnel port of a node is no destination over IPv${family}`,
        steps: [
          sends(
            'a',
            viaGateway('a', addressOf('host', family), family, build.udp({ source: 1000, destination: 4789 })),
            {
              verdict: 'drop',
              reason: 'TUNNEL_FORGED',
            },
          ),
        ],
      },
      {
        name: `a DHCP server may not speak over IPv${family}`,
        steps: [
          sends(
            'a',
            between(
              'a',
              'b',
              family,
              family === 4 ? build.udp({ source: 67, destination: 68 }) : build.udp({ source: 547, destination: 546 }),
            ),
            {
              verdict: 'drop',
              reason: 'DHCP_SERVER',
            },
          ),
        ],
      },
      {
        name: `TCP over IPv${family} that belongs to no flow and cannot begin one is invalid`,
        steps: ['R', 'RA', 'SA'].map((flags) =>
          sends('a', between('a', 'b', family, build.tcp({ source: 40000, destination: 80, flags })), {
            verdict: 'drop',
            reason: 'CONNTRACK_INVALID',
          }),
        ),
      },
      {
        name: `an ICMP error over IPv${family} about no flow is dropped`,
        steps: [
          sends(
            'a',
            between(
              'a',
              'b',
              family,
              family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4),
              ip(family, other, own),
              udp,
            ),
            { verdict: 'drop', reason: 'ICMP_UNRELATED' },
          ),
        ],
      },
      {
        name: `an endpoint's flows over IPv${family} end at its quota, and nobody else's do`,
        prepare: (world_) => {
          world_.maps.config.set(0, { ...world_.config, flowQuota: 2 });
          for (const { number } of [a, b]) world_.beginQuotaWindow(number);
        },
        steps: [
          ...[1, 2].map((source) =>
            sends('a', between('a', 'b', family, build.udp({ source, destination: 9 })), {
              verdict: 'redirect',
            } as const),
          ),
          sends('a', between('a', 'b', family, build.udp({ source: 3, destination: 9 })), {
            verdict: 'drop',
            reason: 'FLOW_QUOTA',
          }),
          sends('b', between('b', 'a', family, build.udp({ source: 3, destination: 10 })), { verdict: 'redirect' }),
        ],
      },
    ];
  }),
  {
    name: 'ICMP of the other family is no protocol',
    steps: [
      sends('a', frame(a.mac, b.mac, build.ipv4({ source: a.ip4, destination: b.ip4 }), build.echo(6, 'request')), {
        verdict: 'drop',
        reason: 'UNKNOWN_PROTOCOL',
      }),
    ],
  },
  {
    name: 'a frame with a VLAN tag is dropped',
    steps: [
      sends('a', frame(a.mac, b.mac, build.vlan(7), build.ipv4({ source: a.ip4, destination: b.ip4 }), udp), {
        verdict: 'drop',
        reason: 'VLAN_TAGGED',
      }),
    ],
  },
  {
    name: 'an Ethernet protocol that no network carries is dropped',
    steps: [
      sends('a', frame(a.mac, b.mac, build.raw(new Uint8Array(46), { etherType: 0x88cc })), {
        verdict: 'drop',
        reason: 'UNKNOWN_PROTOCOL',
      }),
    ],
  },
  {
    name: 'an IP protocol without ports is a flow between two addresses',
    steps: [
      sends(
        'a',
        frame(a.mac, b.mac, build.ipv4({ source: a.ip4, destination: b.ip4, protocol: 47 }), build.payload(20)),
        {
          verdict: 'redirect',
        },
      ),
    ],
  },
  {
    name: 'a device that belongs to no endpoint is refused',
    steps: [
      {
        hook: 'from_endpoint',
        device: uplink.device,
        packet: between('a', 'b', 4, udp),
        verdict: 'drop',
        reason: 'UNKNOWN_INTERFACE',
      },
    ],
  },
  {
    name: 'without a configuration nothing passes',
    prepare: (world_) => world_.maps.config.set(0, { ...world_.config, hostIfindex: 0, generation: 0, hostNetns: 0n }),
    steps: [sends('a', between('a', 'b', 4, udp), { verdict: 'drop', reason: 'CONFIG_MISSING' })],
  },
  {
    name: 'broadcast and multicast are copied to the network, and the original ends',
    steps: [
      sends('a', frame(a.mac, build.broadcastMac, build.ipv4({ source: a.ip4, destination: '10.88.255.255' }), udp), {
        verdict: 'drop',
      }),
      sends(
        'a',
        frame(
          a.mac,
          build.groupMac('224.0.0.251'),
          build.ipv4({ source: a.ip4, destination: '224.0.0.251', ttl: 1 }),
          build.udp({ source: 5353, destination: 5353 }),
        ),
        { verdict: 'drop' },
      ),
      sends(
        'a',
        frame(
          a.mac,
          build.groupMac('ff02::fb'),
          build.ipv6({ source: a.ip6, destination: 'ff02::fb', hopLimit: 1 }),
          build.udp({ source: 5353, destination: 5353 }),
        ),
        { verdict: 'drop' },
      ),
    ],
  },
  {
    name: 'broadcasts end at their rate',
    prepare: (world_) => world_.maps.config.set(0, { ...world_.config, floodRate: 1 }),
    steps: [{}, { reason: 'FLOOD_LIMITED' } as const].map((expected) =>
      sends('a', frame(a.mac, build.broadcastMac, build.ipv4({ source: a.ip4, destination: '255.255.255.255' }), udp), {
        verdict: 'drop',
        ...expected,
      }),
    ),
  },
];
