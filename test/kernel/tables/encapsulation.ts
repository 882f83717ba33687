import { expect } from 'vitest';
import { ConfigFlag, type Conntrack, NetworkFlag, UplinkFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import * as build from '../packet/build.ts';
import { endpoints, networks, overlay, remotes, uplink } from '../world/plan.ts';
import { deny, govern, rule } from '../world/policy.ts';
import type { World } from '../world/world.ts';
import { addressOf, arrives, between, families, fromOutside, ip, type PacketCase, sends, vxlan } from './say.ts';

const { x, y } = endpoints;
const { z } = remotes;
const [own, node, stranger] = overlay.tunnels4;
const network = networks.wide.number;
const port = 4789;
const headers = 50;

/** The underlay is IPv4, and the way to the nodes an uplink. */
function simple(world: World): void {
  for (const [number, address] of overlay.tunnels4.entries())
    world.maps.nodes.set(number, nodeValue(parseAddress(address)));
}

const uplinkWith = (change: { mtu?: number; flags?: number; masquerade4?: Uint8Array }) => (world: World) => {
  simple(world);
  const index = world.index(uplink.device);
  const known = world.maps.uplinks.get(index);
  if (known) world.maps.uplinks.set(index, { ...known, ...change });
};

function withIpsec(world: World): void {
  simple(world);
  world.maps.config.set(0, { ...world.config, flags: ConfigFlag.TUNNELS_BY_DEVICE });
}

/** The one flow that there is. */
function flow(world: World): Conntrack {
  const [[, entry] = []] = [...world.maps.conntrack.entries()];
  if (!entry) throw new Error('there is no flow');
  return entry;
}

const asks = (family: 4 | 6, tos = 0) =>
  build.packet(
    build.eth({ source: x.mac, destination: z.mac }),
    ip(family, addressOf('x', family), addressOf('z', family), { tos }),
    build.udp({ source: 40000, destination: 53 }),
  );
const answers = between('z', 'x', 4, build.udp({ source: 53, destination: 40000 }), build.payload(20));

/** A frame that the node of `z` sends. */
const carried = (
  frame: Uint8Array,
  { vni = network as number, from = node as string, to = own as string, flags = 0x08, tos = 0, checksum = 0 } = {},
) =>
  build.packet(
    build.eth({ source: uplink.gatewayMac, destination: uplink.mac }),
    build.ipv4({ source: from, destination: to, tos }),
    build.udp({ source: 50000, destination: port, checksum }),
    vxlan(vni, frame, flags),
  );

const begun = { ...sends('x', asks(4), { verdict: 'redirect' }) };
const pass = { verdict: 'pass' } as const;

/** What is not as simple is the device's: nothing has been counted of it. */
function left(name: string, packet: Uint8Array, prepare: (world: World) => void = simple): PacketCase {
  return {
    name: `${name} is left to the device`,
    prepare,
    steps: [
      begun,
      {
        ...arrives(packet, pass),
        afterwards: (world) => expect(flow(world)).toMatchObject({ packetsReply: 0n, state: 0 }),
      },
    ],
  };
}

/** Single packets whose VXLAN headers programs write and take off at the uplink. */
export const encapsulation: readonly PacketCase[] = [
  ...families.flatMap((family): PacketCase[] => [
    {
      name: `a packet of IPv${family} leaves in a tunnel of our own making, in a frame as it was sent`,
      prepare: simple,
      steps: [
        sends('x', asks(family, 1), {
          verdict: 'redirect',
          out: {
            ip: { source: own, destination: node, ttl: 64, tos: 1 },
            udp: { destination: port, checksum: 0 },
            payload: Uint8Array.of(8, 0, 0, 0, 0, network >> 8, network & 0xff, 0, ...asks(family, 1)),
          },
        }),
      ],
    },
    {
      name: `congestion that a packet of IPv${family} has met is not told of the tunnel`,
      prepare: simple,
      steps: [sends('x', asks(family, 3), { verdict: 'redirect', out: { ip: { destination: node, tos: 2 } } })],
    },
    ...(
      [
        ['an uplink that takes less', { mtu: 1450 }],
        ['an uplink without Ethernet', { flags: UplinkFlag.NO_ETHERNET }],
      ] as const
    ).map(([name, change]): PacketCase => {
      const large = between('x', 'z', family, build.udp({ source: 1, destination: 2 }), build.payload(1380));
      return {
        name: `a packet of IPv${family} by ${name} is left to the device`,
        prepare: uplinkWith(change),
        steps: [sends('x', large, { verdict: 'redirect', out: { eth: { source: x.mac, destination: z.mac } } })],
      };
    }),
  ]),
  {
    name: 'with IPsec a packet leaves by the device',
    prepare: withIpsec,
    steps: [sends('x', asks(4), { verdict: 'redirect', out: { eth: { source: x.mac, destination: z.mac } } })],
  },
  {
    name: 'a packet of a known flow is taken out of its tunnel at the uplink, and counted without it',
    prepare: simple,
    steps: [
      begun,
      {
        ...arrives(carried(answers), {
          verdict: 'redirect',
          out: {
            eth: { source: z.mac, destination: x.mac },
            ip: { source: z.ip4, destination: x.ip4, ttl: 64 },
            udp: { source: 53, destination: 40000 },
          },
        }),
        afterwards: (world) =>
          expect(flow(world)).toMatchObject({ packetsReply: 1n, bytesReply: BigInt(answers.length), state: 1 }),
      },
    ],
  },
  {
    name: 'and is dropped there when policy has taken its permission back',
    prepare: simple,
    steps: [
      {
        ...begun,
        afterwards: (world) => {
          govern(world, 'x', 'EGRESS');
          rule(world, 'x', 'EGRESS', 'any', deny);
          world.maps.config.set(0, { ...world.config, generation: world.config.generation + 2 });
        },
      },
      arrives(carried(answers), { verdict: 'drop', reason: 'POLICY_DENIED' }),
    ],
  },
  left('a packet of no flow', carried(between('z', 'y', 4, build.udp({ source: 53, destination: 40000 })))),
  left('a packet of IPv6', carried(between('z', 'x', 6, build.udp({ source: 53, destination: 40000 })))),
  left('what another node sends in the name of the sender', carried(answers, { from: stranger })),
  left('what nobody sends whom we know', carried(answers, { from: '198.51.100.77' })),
  left('what goes to another address of this host', carried(answers, { to: '198.51.100.11' })),
  left(
    'what comes in by an uplink without the address that tunnels end at',
    carried(answers),
    uplinkWith({ masquerade4: parseAddress('198.51.100.11') }),
  ),
  left('a tunnel to a host with IPsec', carried(answers), withIpsec),
  left('a tunnel of a network that this host does not have', carried(answers, { vni: network + 1 })),
  left("a tunnel of a network of this host's own", carried(answers, { vni: networks.blue.number })),
  {
    name: 'a tunnel of a network that is encrypted by now is left to the device, which drops it',
    prepare: simple,
    steps: [
      {
        ...begun,
        afterwards: (world) => {
          const known = world.maps.networks.get(network);
          if (known) world.maps.networks.set(network, { ...known, flags: known.flags | NetworkFlag.ENCRYPTED });
        },
      },
      {
        ...arrives(carried(answers), pass),
        afterwards: (world) => expect(flow(world)).toMatchObject({ packetsReply: 0n, state: 0 }),
      },
    ],
  },
  left('a tunnel with flags that we do not know', carried(answers, { flags: 0x88 })),
  left('a tunnel that has met congestion', carried(answers, { tos: 3 })),
  left('a tunnel with a checksum', carried(answers, { checksum: 0x1234 })),
  left(
    'a frame under another MAC',
    carried(
      build.packet(
        build.eth({ source: y.mac, destination: x.mac }),
        build.ipv4({ source: z.ip4, destination: x.ip4 }),
        build.udp({ source: 53, destination: 40000 }),
      ),
    ),
  ),
  left(
    'a frame to all',
    carried(
      build.packet(
        build.eth({ source: z.mac, destination: build.broadcastMac }),
        build.ipv4({ source: z.ip4, destination: x.ip4 }),
        build.udp({ source: 53, destination: 40000 }),
      ),
    ),
  ),
  left(
    'a fragment',
    carried(
      build.packet(
        build.eth({ source: z.mac, destination: x.mac }),
        build.ipv4({ source: z.ip4, destination: x.ip4, more: true }),
        build.udp({ source: 53, destination: 40000 }),
      ),
    ),
  ),
  left('what is cut within its headers', carried(answers.subarray(0, 40))),
  ...(
    [
      ["a container's own address", addressOf('world', 4), addressOf('a', 4), 'NOT_PUBLISHED'],
      ["the host, under a container's address,", addressOf('a', 4), own, 'SPOOFED'],
    ] as const
  ).map(([name, from, to, reason]): PacketCase => {
    const packet = fromOutside(from, to, 4, build.udp({ source: 1, destination: port }), build.payload(headers));
    return {
      name: `UDP to the port of tunnels at ${name} is dropped as to any other`,
      prepare: simple,
      steps: [arrives(packet, { verdict: 'drop', reason })],
    };
  }),
  {
    name: 'UDP to the port of tunnels is nothing to a host without their device',
    prepare: (world) => world.maps.config.set(0, { ...world.config, overlayIfindex: 0 }),
    steps: [
      arrives(
        fromOutside(addressOf('world', 4), own, 4, build.udp({ source: 1, destination: port }), build.payload(headers)),
        pass,
      ),
    ],
  },
];
