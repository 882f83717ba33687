import { expect } from 'vitest';
import { type Conntrack, EndpointFlag, NetworkFlag, Party } from '../../../src/maps/generated/abi.ts';
import { linkLocalFromMac, parseAddress, parseMac } from '../../../src/model/address.ts';
import { nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import * as build from '../packet/build.ts';
import { fillRemote } from '../world/fill.ts';
import { endpoints, hostDevice, networks, overlay as plan, remotes } from '../world/plan.ts';
import { allow, deny, govern, rule } from '../world/policy.ts';
import { serve, vip } from '../world/services.ts';
import type { World } from '../world/world.ts';
import {
  addressOf,
  arrives,
  between,
  families,
  fromHost,
  fromOutside,
  hostSends,
  ip,
  type PacketCase,
  sends,
  tunnelBrings,
  viaGateway,
} from './say.ts';

const { x, y } = endpoints;
const { z } = remotes;
const network = networks.wide.number;
const redirect = { verdict: 'redirect' } as const;
const toRemote = { verdict: 'redirect', out: { eth: { source: x.mac, destination: z.mac } } } as const;

const addressesOf = ({ ip4, ip6, mac }: typeof z) => [
  parseAddress(ip4),
  parseAddress(ip6),
  linkLocalFromMac(parseMac(mac)),
];

/** Permissions have changed, in a way that takes some back: every flow is judged again. */
function judgeAgain(world: World): void {
  world.maps.config.set(0, { ...world.config, generation: world.config.generation + 2 });
}

/** The endpoint's addresses are on another host now, and no flow has been told. */
const movesTo = (node: number) => (world: World) => {
  fillRemote(world.maps, { ...z, node });
};

/** Whoever has the remote endpoint's addresses now is on this host, where `y` was. */
function comesHere(world: World): void {
  const value = { ...{ number: y.number, network, mac: parseMac(z.mac) }, flags: EndpointFlag.NONE };
  for (const addr of addressesOf(z)) {
    world.maps.endpoints.set({ network, addr }, { ...value, ifindex: world.index(y.device) });
  }
}

const goes = (world: World) => {
  for (const addr of addressesOf(z)) world.maps.endpoints.delete({ network, addr });
};

/** The one flow that there is. */
function flow(world: World): Conntrack {
  const [[, entry] = []] = [...world.maps.conntrack.entries()];
  if (!entry) throw new Error('there is no flow');
  return entry;
}

const expectFlow = (expected: object) => (world: World) => expect(flow(world)).toMatchObject(expected);

/** To endpoints on other hosts; what they send is in test/kernel/overlay. */
export const overlay: readonly PacketCase[] = [
  {
    name: 'what comes by no tunnel is dropped',
    steps: [
      tunnelBrings(between('z', 'x', 4, build.udp({ source: 1, destination: 2 })), {
        verdict: 'drop',
        reason: 'UNKNOWN_TUNNEL',
      }),
    ],
  },
  {
    name: 'ARP for an endpoint on another host is answered with its own MAC',
    steps: [
      sends(
        'x',
        build.packet(
          build.eth({ source: x.mac, destination: build.broadcastMac }),
          build.arp({ operation: 'request', senderMac: x.mac, senderIp: x.ip4, targetIp: z.ip4 }),
        ),
        { verdict: 'redirect', out: { eth: { destination: x.mac }, arp: { senderMac: z.mac, senderIp: z.ip4 } } },
      ),
    ],
  },
  {
    name: 'neighbour discovery for an endpoint on another host is answered with its own MAC',
    steps: [
      sends(
        'x',
        build.packet(
          build.eth({ source: x.mac, destination: build.groupMac(build.solicitedNode(z.ip6)) }),
          build.ipv6({ source: x.ip6, destination: build.solicitedNode(z.ip6), hopLimit: 255 }),
          build.neighbourSolicitation(z.ip6, x.mac),
        ),
        { verdict: 'redirect', out: { eth: { source: z.mac, destination: x.mac } } },
      ),
    ],
  },
  ...families.flatMap((family): PacketCase[] => {
    const asks = between('x', 'z', family, build.udp({ source: 40000, destination: 53 }));
    const other = addressOf('z', family);
    const datagram = [build.udp({ source: 1000, destination: 2000 }), build.payload(64)];
    const ethernet = build.eth({ source: x.mac, destination: z.mac });
    const ends = { source: addressOf('x', family), destination: other };
    const fragments =
      family === 4
        ? build.fragments4(ethernet, ends, datagram, [24, 48])
        : build.fragments6(ethernet, ends, datagram, [24, 48]);
    const tooBig = { ip: { destination: addressOf('x', family) }, icmp: { type: family === 4 ? 3 : 2 } };
    return [
      {
        name: `TCP, UDP and ping over IPv${family} go to another host, with the MAC of who is there`,
        steps: [
          sends('x', between('x', 'z', family, build.tcp({ source: 40000, destination: 80 })), toRemote),
          sends('x', viaGateway('x', other, family, build.udp({ source: 40000, destination: 53 })), toRemote),
          sends('x', between('x', 'z', family, build.echo(family, 'request')), toRemote),
        ],
      },
      {
        name: `a flow over IPv${family} to another host is charged to its sender and knows the other's node`,
        steps: [
          {
            ...sends('x', asks, toRemote),
            afterwards: expectFlow({
              ...{ sourceParty: Party.ENDPOINT, destinationParty: Party.REMOTE, owner: x.number },
              destinationIdentity: z.identity,
              toDestination: { ifindex: z.node, mac: parseMac(z.mac) },
            }),
          },
          sends('x', asks, toRemote),
        ],
      },
      {
        name: `the answer over IPv${family} to a ping of everybody goes to the other host that asked, and makes no flow`,
        steps: [
          {
            ...sends('x', between('x', 'z', family, build.echo(family, 'reply')), toRemote),
            afterwards: (world) => expect([...world.maps.conntrack.rawEntries()]).toEqual([]),
          },
        ],
      },
      {
        name: `all fragments of a datagram go to another host over IPv${family}`,
        steps: fragments.map((bytes) => sends('x', bytes, toRemote)),
      },
      {
        name: `an error over IPv${family} about what another host's endpoint sent goes there`,
        steps: [
          sends('x', asks, redirect),
          sends(
            'x',
            between(
              ...(['x', 'z', family] as const),
              family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4),
              ip(family, other, addressOf('x', family)),
              build.udp({ source: 53, destination: 40000 }),
            ),
            toRemote,
          ),
        ],
      },
      {
        name: `a packet over IPv${family} that the tunnel does not take is dropped, and its sender told how large it may be`,
        steps: [
          sends('x', between('x', 'z', family, build.udp({ source: 40000, destination: 53 }), build.payload(1430)), {
            verdict: 'redirect',
            reason: 'TOO_BIG',
            out: tooBig,
          }),
          sends('x', asks, toRemote),
          sends('x', between('x', 'z', family, build.udp({ source: 40000, destination: 53 }), build.payload(1430)), {
            verdict: 'redirect',
            reason: 'TOO_BIG',
            out: tooBig,
          }),
        ],
      },
      {
        name: `an endpoint over IPv${family} whose host is not known, or without a device for tunnels, is out of reach`,
        prepare: (world) => world.maps.nodes.set(z.node, nodeValue()),
        steps: [
          {
            ...sends('x', asks, { verdict: 'drop', reason: 'NO_NODE' }),
            afterwards: (world) => {
              world.maps.nodes.set(z.node, nodeValue(parseAddress(plan.tunnels[1])));
              world.maps.config.set(0, { ...world.config, overlayIfindex: 0 });
            },
          },
          {
            ...sends('x', asks, { verdict: 'drop', reason: 'NO_NODE' }),
            afterwards: (world) => {
              world.maps.config.set(0, { ...world.config, overlayIfindex: world.index(plan.device) });
              world.maps.nodes.set(0, nodeValue(parseAddress(plan.tunnels4[0])));
            },
          },
          sends('x', asks, { verdict: 'drop', reason: 'NO_NODE' }),
        ],
      },
      {
        name: `egress policy over IPv${family} knows who is on another host`,
        prepare: (world) => {
          govern(world, 'x', 'EGRESS');
          rule(world, 'x', 'EGRESS', 'any', deny);
          rule(world, 'x', 'EGRESS', 'z', allow);
        },
        steps: [
          sends('x', asks, toRemote),
          sends('x', between('x', 'u', family, build.udp({ source: 40000, destination: 53 })), {
            verdict: 'drop',
            reason: 'POLICY_DENIED',
          }),
        ],
      },
      {
        name: `a permission over IPv${family} to reach another host that is taken back ends the flow, and given again goes on`,
        steps: [
          {
            ...sends('x', asks, toRemote),
            afterwards: (world) => {
              govern(world, 'x', 'EGRESS');
              rule(world, 'x', 'EGRESS', 'z', deny);
              judgeAgain(world);
            },
          },
          {
            ...sends('x', asks, { verdict: 'drop', reason: 'POLICY_DENIED' }),
            afterwards: (world) => {
              rule(world, 'x', 'EGRESS', 'z', allow);
              judgeAgain(world);
            },
          },
          sends('x', asks, toRemote),
        ],
      },
      {
        name: `a network without ICC reaches no other host over IPv${family} either`,
        prepare: (world) => {
          const wide = world.maps.networks.get(network);
          if (wide) world.maps.networks.set(network, { ...wide, flags: wide.flags | NetworkFlag.ICC_OFF });
        },
        steps: [sends('x', asks, { verdict: 'drop', reason: 'ICC_DISABLED' })],
      },
      {
        name: `a flow over IPv${family} follows an endpoint to another host as soon as the generation goes up`,
        steps: [
          { ...sends('x', asks, toRemote), afterwards: movesTo(2) },
          {
            ...sends('x', asks, toRemote),
            afterwards: (world) => {
              expect(flow(world).toDestination.ifindex).toBe(1);
              judgeAgain(world);
            },
          },
          {
            ...sends('x', asks, toRemote),
            afterwards: expectFlow({ toDestination: { ifindex: 2 }, packetsOriginal: 3n }),
          },
        ],
      },
      {
        name: `a flow over IPv${family} to an endpoint that comes to this host begins anew there`,
        steps: [
          {
            ...sends('x', asks, toRemote),
            afterwards: (world) => {
              comesHere(world);
              judgeAgain(world);
            },
          },
          sends('x', asks, { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
          { ...sends('x', asks, toRemote), afterwards: expectFlow({ destinationParty: Party.ENDPOINT }) },
        ],
      },
      {
        name: `and so does one over IPv${family} to an endpoint that leaves this host`,
        prepare: comesHere,
        steps: [
          {
            ...sends('x', asks, toRemote),
            afterwards: (world) => {
              movesTo(1)(world);
              judgeAgain(world);
            },
          },
          sends('x', asks, { verdict: 'drop', reason: 'CONNTRACK_INVALID' }),
          { ...sends('x', asks, toRemote), afterwards: expectFlow({ destinationParty: Party.REMOTE }) },
        ],
      },
      {
        name: `what policy refuses while an endpoint over IPv${family} moves here stays refused`,
        steps: [
          {
            ...sends('x', asks, toRemote),
            afterwards: (world) => {
              comesHere(world);
              govern(world, 'x', 'EGRESS');
              rule(world, 'x', 'EGRESS', 'y', deny);
              judgeAgain(world);
            },
          },
          sends('x', asks, { verdict: 'drop', reason: 'POLICY_DENIED' }),
          sends('x', asks, { verdict: 'drop', reason: 'POLICY_DENIED' }),
        ],
      },
      {
        name: `a flow over IPv${family} to an endpoint that is gone from its host ends`,
        steps: [
          {
            ...sends('x', asks, toRemote),
            afterwards: (world) => {
              goes(world);
              judgeAgain(world);
            },
          },
          sends('x', asks, { verdict: 'drop', reason: 'POLICY_DENIED' }),
        ],
      },
      {
        name: `the host reaches no endpoint of another host over IPv${family}, whatever the tables say`,
        prepare: (world) => {
          const remote = world.maps.endpoints.get({ network, addr: parseAddress(other) });
          if (remote) world.maps.endpoints.set({ network: 0, addr: parseAddress(other) }, remote);
        },
        steps: [
          hostSends(
            fromHost(networks.wide[`gateway${family}`], other, family, build.udp({ source: 1, destination: 53 })),
            { verdict: 'drop', reason: 'NO_ENDPOINT' },
          ),
        ],
      },
      {
        name: `a port over IPv${family} leads to no other host`,
        prepare: (world) => {
          const value = { addr: parseAddress(other), network, port: 80, flags: 0 };
          world.maps.published.set({ addr: parseAddress(addressOf('host', family)), port: 8888, protocol: 6 }, value);
        },
        steps: [
          arrives(
            fromOutside(
              ...([addressOf('world', family), addressOf('host', family), family] as const),
              build.tcp({ source: 5000, destination: 8888 }),
            ),
            { verdict: 'drop', reason: 'NO_ENDPOINT' },
          ),
          sends(
            'x',
            viaGateway('x', addressOf('host', family), family, build.tcp({ source: 5000, destination: 8888 })),
            { verdict: 'drop', reason: 'NO_ENDPOINT' },
          ),
        ],
      },
      {
        name: `the own address over IPv${family} of who is on another host is reached from outside by this one never`,
        prepare: (world) => {
          const wide = world.maps.networks.get(network);
          const open = NetworkFlag.UNPROTECTED4 | NetworkFlag.UNPROTECTED6;
          if (wide) world.maps.networks.set(network, { ...wide, flags: wide.flags | open });
        },
        steps: [
          arrives(
            fromOutside(addressOf('world', family), other, family, build.tcp({ source: 5000, destination: 80 })),
            { verdict: 'drop', reason: 'NO_ENDPOINT' },
          ),
          arrives(fromOutside(other, addressOf('x', family), family, build.tcp({ source: 5000, destination: 80 })), {
            verdict: 'drop',
            reason: 'SPOOFED',
          }),
        ],
      },
      {
        name: `a service over IPv${family} whose backend's address is on another host by now has none`,
        prepare: (world) => {
          serve(world, ['b']);
          const backend = { network: networks.blue.number, addr: parseAddress(addressOf('b', family)) };
          const known = world.maps.endpoints.get(backend);
          if (known) world.maps.endpoints.set(backend, { ...known, flags: EndpointFlag.REMOTE, ifindex: 1 });
        },
        steps: [
          sends('a', viaGateway('a', vip[family], family, build.tcp({ source: 5000, destination: 8080 })), {
            verdict: 'drop',
            reason: 'NO_BACKEND',
          }),
        ],
      },
      {
        name: `an endpoint of a network that spans hosts reaches its neighbour, its host and the world over IPv${family}`,
        steps: [
          sends('x', between('x', 'y', family, build.udp({ source: 1, destination: 53 })), {
            verdict: 'redirect',
            out: { eth: { destination: y.mac } },
          }),
          sends(
            'x',
            viaGateway('x', networks.wide[`gateway${family}`], family, build.udp({ source: 1, destination: 53 })),
            { verdict: 'redirect', out: { eth: { destination: hostDevice.mac } } },
          ),
          sends('x', viaGateway('x', addressOf('world', family), family, build.udp({ source: 1, destination: 53 })), {
            verdict: 'redirect',
            out: { ip: { source: addressOf('host', family) } },
          }),
        ],
      },
    ];
  }),
];
