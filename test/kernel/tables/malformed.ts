import * as build from '../packet/build.ts';
import { endpoints } from '../world/plan.ts';
import { addressOf, between, families, fromOutside, ip, type PacketCase, sends, viaGateway } from './say.ts';

const { a, b } = endpoints;
const frame = build.eth({ source: a.mac, destination: b.mac });
const udp = build.udp({ source: 1000, destination: 2000 });

/** Headers that no valid packet has. */
export const malformed: readonly PacketCase[] = [
  {
    name: 'an IPv4 header of a wrong version, length or checksum is malformed',
    steps: [{ version: 5 }, { headerLength: 16 }, { totalLength: 19 }].map((fields) =>
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, ...fields }), udp), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ),
  },
  {
    name: 'an IPv4 header that claims more than there is is truncated',
    steps: [
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, totalLength: 2000 }), udp), {
        verdict: 'drop',
        reason: 'TRUNCATED',
      }),
      sends('a', build.packet(frame, build.ipv4({ source: a.ip4, destination: b.ip4, headerLength: 60 }), udp), {
        verdict: 'drop',
        reason: 'TRUNCATED',
      }),
    ],
  },
  {
    name: 'an IPv6 header of a wrong version is malformed',
    steps: [
      sends('a', build.packet(frame, build.ipv6({ source: a.ip6, destination: b.ip6, version: 4 }), udp), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ],
  },
  {
    name: 'a TCP header shorter than TCP has is malformed',
    steps: families.map((family) =>
      sends('a', between('a', 'b', family, build.tcp({ source: 1, destination: 2, dataOffset: 16 })), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ),
  },
  {
    name: 'a UDP header that claims less than UDP has is malformed',
    steps: families.map((family) =>
      sends('a', between('a', 'b', family, build.udp({ source: 1, destination: 2, length: 7 })), {
        verdict: 'drop',
        reason: 'MALFORMED',
      }),
    ),
  },
  {
    name: 'extension headers of IPv6 do not hide the ports',
    steps: [
      sends(
        'a',
        between(
          'a',
          'b',
          6,
          build.extension('hop-by-hop'),
          build.extension('destination'),
          build.tcp({ source: 40000, destination: 80 }),
        ),
        { verdict: 'redirect' },
      ),
    ],
  },
  {
    name: 'more extension headers than anybody sends are malformed',
    steps: [
      sends(
        'a',
        between(
          'a',
          'b',
          6,
          build.extension('destination'),
          ...Array.from({ length: 15 }, () => build.extension('destination')),
          udp,
        ),
        {
          verdict: 'drop',
          reason: 'MALFORMED',
        },
      ),
    ],
  },
  {
    name: 'options of IPv4 do not hide the ports',
    steps: [
      sends(
        'a',
        build.packet(
          frame,
          build.ipv4({ source: a.ip4, destination: b.ip4, options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0) }),
          build.tcp({ source: 40000, destination: 80 }),
        ),
        { verdict: 'redirect' },
      ),
    ],
  },
];

/** Whole packets that are cut to every length: none of the cuts may get through. */
export const cuttable: Readonly<
  Record<string, { readonly packet: Uint8Array; readonly hook: 'from_endpoint' | 'from_uplink' }>
> = Object.fromEntries(
  families.flatMap((family) => {
    const world = addressOf('world', family);
    const toNeighbour = {
      TCP: build.tcp({ source: 40000, destination: 80 }),
      UDP: build.udp({ source: 40000, destination: 80 }),
      SCTP: build.sctp({ source: 40000, destination: 9 }),
      ping: build.echo(family, 'request'),
    };
    const out = Object.entries(toNeighbour).map(([name, layer]) => [
      `${name} over IPv${family}`,
      { hook: 'from_endpoint', packet: between('a', 'b', family, layer, build.payload(8)) },
    ]);
    const error = [ip(family, addressOf('b', family), addressOf('a', family)), udp, build.payload(8)] as const;
    return [
      ...out,
      [
        `TCP to the world over IPv${family}`,
        { hook: 'from_endpoint', packet: viaGateway('a', world, family, toNeighbour.TCP) },
      ],
      [
        `an ICMP error over IPv${family}`,
        {
          hook: 'from_endpoint',
          packet: between(
            'a',
            'b',
            family,
            family === 4 ? build.icmpErrors.unreachable(1) : build.icmpErrors.unreachable6(1),
            ...error,
          ),
        },
      ],
      [
        `TCP to a published port over IPv${family}`,
        {
          hook: 'from_uplink',
          packet: fromOutside(world, addressOf('host', family), family, build.tcp({ source: 5000, destination: 8080 })),
        },
      ],
      ...(family === 6
        ? [
            [
              'TCP behind extension headers',
              {
                hook: 'from_endpoint',
                packet: between(
                  'a',
                  'b',
                  6,
                  build.extension('hop-by-hop'),
                  build.extension('destination'),
                  toNeighbour.TCP,
                ),
              },
            ],
          ]
        : []),
      ...(family === 4
        ? [
            [
              'ARP',
              {
                hook: 'from_endpoint',
                packet: build.packet(
                  build.eth({ source: a.mac, destination: build.broadcastMac }),
                  build.arp({ operation: 'request', senderMac: a.mac, senderIp: a.ip4, targetIp: b.ip4 }),
                ),
              },
            ],
          ]
        : []),
    ];
  }),
);
