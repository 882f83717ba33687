import * as build from '../packet/build.ts';
import { endpoints, hostDevice, networks } from '../world/plan.ts';
import { serve, vip } from '../world/services.ts';
import { addressOf, between, families, type PacketCase, sends, viaGateway } from './say.ts';

const { a, b } = endpoints;
const syn = build.tcp({ source: 5000, destination: 8080 });

function arp(): Uint8Array {
  return build.packet(
    build.eth({ source: a.mac, destination: build.broadcastMac }),
    build.arp({ operation: 'request', senderMac: a.mac, senderIp: a.ip4, targetIp: vip[4] }),
  );
}

function solicitation(): Uint8Array {
  const group = build.solicitedNode(vip[6]);
  return build.packet(
    build.eth({ source: a.mac, destination: build.groupMac(group) }),
    build.ipv6({ source: a.ip6, destination: group, hopLimit: 255 }),
    build.neighbourSolicitation(vip[6], a.mac),
  );
}

/** One address in front of several endpoints. */
export const services: readonly PacketCase[] = [
  {
    name: 'ARP for its address is answered with the MAC of the gateway',
    prepare: (world) => serve(world, ['b']),
    steps: [sends('a', arp(), { verdict: 'redirect', out: { arp: { senderMac: hostDevice.mac, senderIp: vip[4] } } })],
  },
  {
    name: 'neighbour discovery of its address is answered with the MAC of the gateway',
    prepare: (world) => serve(world, ['b']),
    steps: [sends('a', solicitation(), { verdict: 'redirect', out: { eth: { source: hostDevice.mac } } })],
  },
  ...families.flatMap((family): PacketCase[] => {
    const [own, other, address] = [addressOf('a', family), addressOf('b', family), vip[family]];
    const gateway = networks.blue[`gateway${family}`];
    const asks = viaGateway('a', address, family, syn);
    const given = {
      verdict: 'redirect',
      out: {
        eth: { source: hostDevice.mac, destination: b.mac },
        ip: { source: own, destination: other },
        tcp: { source: 5000, destination: 80 },
      },
    } as const;
    const answers = between('b', 'a', family, build.tcp({ source: 80, destination: 5000, flags: 'SA' }));
    return [
      {
        name: `a TCP flow goes to a backend and is answered from its address over IPv${family}`,
        prepare: (world) => serve(world, ['b']),
        steps: [
          sends('a', asks, given),
          sends('b', answers, {
            verdict: 'redirect',
            out: {
              eth: { source: hostDevice.mac, destination: a.mac },
              ip: { source: address, destination: own },
              tcp: { source: 8080, destination: 5000 },
            },
          }),
        ],
      },
      {
        name: `a UDP flow goes to a backend and is answered from its address over IPv${family}`,
        prepare: (world) => serve(world, ['b']),
        steps: [
          sends('a', viaGateway('a', address, family, build.udp({ source: 5000, destination: 8053 })), {
            verdict: 'redirect',
            out: { ip: { destination: other }, udp: { destination: 53 } },
          }),
          sends('b', between('b', 'a', family, build.udp({ source: 53, destination: 5000 })), {
            verdict: 'redirect',
            out: { ip: { source: address }, udp: { source: 8053 } },
          }),
        ],
      },
      {
        name: `a flow keeps its backend when new ones go elsewhere over IPv${family}`,
        prepare: (world) => serve(world, ['b']),
        steps: [
          { ...sends('a', asks, given), afterwards: (world) => serve(world, []) },
          { ...sends('b', answers, { verdict: 'redirect' }), afterwards: (world) => serve(world, []) },
          sends(
            'a',
            viaGateway('a', address, family, build.tcp({ source: 5000, destination: 8080, flags: 'A' })),
            given,
          ),
        ],
      },
      {
        name: `a client that is its own backend sees the gateway over IPv${family}`,
        prepare: (world) => serve(world, ['a']),
        steps: [sends('a', asks, { verdict: 'redirect', out: { ip: { source: gateway, destination: own } } })],
      },
      {
        name: `a port that the backend knows from another flow of the client is another one there over IPv${family}`,
        prepare: (world) => serve(world, ['b']),
        steps: [
          sends('a', between('a', 'b', family, build.tcp({ source: 5000, destination: 80 })), { verdict: 'redirect' }),
          sends('a', asks, {
            verdict: 'redirect',
            out: { ip: { source: own, destination: other }, tcp: { destination: 80 } },
          }),
          sends(
            'b',
            ([, to]) =>
              between('b', 'a', family, build.tcp({ source: 80, destination: to?.tcp?.source ?? 0, flags: 'SA' })),
            { verdict: 'redirect', out: { ip: { source: address }, tcp: { source: 8080, destination: 5000 } } },
          ),
        ],
      },
      {
        name: `a port or protocol that it has not is refused over IPv${family}`,
        prepare: (world) => serve(world, ['b']),
        steps: [
          sends('a', viaGateway('a', address, family, build.tcp({ source: 5000, destination: 81 })), {
            ...{ verdict: 'drop', reason: 'SERVICE_PORT' },
          }),
          sends('a', viaGateway('a', address, family, build.udp({ source: 5000, destination: 8080 })), {
            ...{ verdict: 'drop', reason: 'SERVICE_PORT' },
          }),
          sends('a', viaGateway('a', address, family, build.echo(family, 'request')), {
            ...{ verdict: 'drop', reason: 'SERVICE_PORT' },
          }),
        ],
      },
      {
        name: `without a backend nothing is let through over IPv${family}`,
        prepare: (world) => serve(world, []),
        steps: [sends('a', asks, { verdict: 'drop', reason: 'NO_BACKEND' })],
      },
      {
        name: `nor by an entry that is another service's by now over IPv${family}`,
        prepare: (world) => {
          serve(world, ['b']);
          const { services } = world.maps;
          services.setMany(
            [...services.entries()].map(([key, value]) => [key, { ...value, check: (value.check ^ 1) >>> 0 }]),
          );
        },
        steps: [sends('a', asks, { verdict: 'drop', reason: 'NO_BACKEND' })],
      },
      {
        name: `nor when a slot names an endpoint of another network over IPv${family}`,
        prepare: (world) => serve(world, ['c']),
        steps: [sends('a', asks, { verdict: 'drop', reason: 'NO_BACKEND' })],
      },
      {
        name: `another network does not reach it over IPv${family}`,
        prepare: (world) => serve(world, ['b']),
        steps: [sends('c', viaGateway('c', address, family, syn), { verdict: 'drop', reason: 'ISOLATED' })],
      },
      {
        name: `what chance has spread is not taken up in the middle over IPv${family}`,
        prepare: (world) => serve(world, ['b'], { flags: ['RANDOM'] }),
        steps: [
          sends('a', viaGateway('a', address, family, build.tcp({ source: 5000, destination: 8080, flags: 'A' })), {
            ...{ verdict: 'drop', reason: 'CONNTRACK_INVALID' },
          }),
          sends('a', asks, given),
        ],
      },
      {
        name: `a client keeps its backend for as long as that is one over IPv${family}`,
        prepare: (world) => serve(world, ['b'], { affinity: 60 }),
        steps: [
          {
            ...sends('a', asks, given),
            // The table says another one, who may be given new flows as well as the first.
            afterwards: ({ maps }) => {
              const backend = Array.from({ length: 128 }, (_, i) => (i < 127 ? a.number : 0));
              maps.serviceSlots.set(7, { backend });
              maps.endpointAddrs.set(a.number, { ...maps.endpointAddrs.get(b.number), network: 0 } as never);
            },
          },
          {
            ...sends('a', viaGateway('a', address, family, build.tcp({ source: 5001, destination: 8080 })), {
              ...{ verdict: 'redirect', out: { ip: { destination: other } } },
            }),
            afterwards: ({ maps }) => maps.serviceMembers.delete({ service: 1, endpoint: b.number }),
          },
          sends('a', viaGateway('a', address, family, build.tcp({ source: 5002, destination: 8080 })), {
            ...{ verdict: 'drop', reason: 'NO_BACKEND' },
          }),
        ],
      },
    ];
  }),
];
