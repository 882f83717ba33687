import * as build from '../packet/build.ts';
import { endpoints, hostDevice, networks } from '../world/plan.ts';
import { addressOf, between, families, type PacketCase, sends, viaGateway } from './say.ts';

const { a, b, c } = endpoints;

const transports = {
  TCP: [build.tcp({ source: 40000, destination: 80 }), build.tcp({ source: 80, destination: 40000, flags: 'SA' })],
  UDP: [build.udp({ source: 40000, destination: 53 }), build.udp({ source: 53, destination: 40000 })],
  SCTP: [
    build.sctp({ source: 40000, destination: 9 }),
    build.sctp({
      source: 9,
      destination: 40000,
      tag: 5,
      chunks: [{ type: build.SctpChunk.INIT_ACK, value: new Uint8Array(20) }],
    }),
  ],
} as const;

/** Between endpoints of this host. */
export const delivery: readonly PacketCase[] = families.flatMap((family): PacketCase[] => [
  ...Object.entries(transports).map(([name, [there, back]]) => ({
    name: `${name} over IPv${family} reaches a neighbour unchanged, and so does the answer`,
    steps: [
      sends('a', between('a', 'b', family, there, build.payload(4)), {
        verdict: 'redirect',
        out: { eth: { source: a.mac, destination: b.mac }, ip: { source: addressOf('a', family), ttl: 64 } },
      }),
      sends('b', between('b', 'a', family, back, build.payload(4)), {
        verdict: 'redirect',
        out: { eth: { destination: a.mac }, ip: { destination: addressOf('a', family) } },
      }),
    ],
  })),
  {
    name: `ping over IPv${family} reaches a neighbour, and so does the answer`,
    steps: [
      sends('a', between('a', 'b', family, build.echo(family, 'request')), { verdict: 'redirect' }),
      sends('b', between('b', 'a', family, build.echo(family, 'reply')), { verdict: 'redirect' }),
    ],
  },
  {
    name: `the answer over IPv${family} to a ping of everybody reaches the neighbour that asked`,
    steps: [sends('b', between('b', 'a', family, build.echo(family, 'reply')), { verdict: 'redirect' })],
  },
  {
    name: `a packet over IPv${family} to an address of the network that nobody has is dropped`,
    steps: [
      sends(
        'a',
        viaGateway('a', family === 4 ? '10.88.0.99' : 'fd00:88::99', family, build.udp({ source: 1, destination: 2 })),
        {
          verdict: 'drop',
          reason: 'NO_ENDPOINT',
        },
      ),
    ],
  },
  {
    name: `another network is out of reach over IPv${family}`,
    steps: [
      sends('a', viaGateway('a', addressOf('c', family), family, build.tcp({ source: 40000, destination: 80 })), {
        verdict: 'drop',
        reason: 'ISOLATED',
      }),
      sends('a', viaGateway('a', addressOf('i', family), family, build.echo(family, 'request')), {
        verdict: 'drop',
        reason: 'ISOLATED',
      }),
    ],
  },
  {
    name: `another network is out of reach over IPv${family} with its MAC, too`,
    steps: [
      sends(
        'a',
        build.packet(
          build.eth({ source: a.mac, destination: c.mac }),
          family === 4
            ? build.ipv4({ source: a.ip4, destination: c.ip4 })
            : build.ipv6({ source: a.ip6, destination: c.ip6 }),
          build.udp({ source: 1, destination: 2 }),
        ),
        { verdict: 'drop', reason: 'ISOLATED' },
      ),
    ],
  },
  {
    name: `neighbours of a network without ICC do not reach each other over IPv${family}`,
    steps: [
      sends('q', between('q', 's', family, build.tcp({ source: 1, destination: 2 })), {
        verdict: 'drop',
        reason: 'ICC_DISABLED',
      }),
    ],
  },
  {
    name: `neighbours of an internal network reach each other over IPv${family}, and nothing else`,
    steps: [
      sends('i', between('i', 'j', family, build.udp({ source: 1, destination: 2 })), { verdict: 'redirect' }),
      sends('i', viaGateway('i', addressOf('world', family), family, build.udp({ source: 1, destination: 2 })), {
        verdict: 'drop',
        reason: 'INTERNAL_NETWORK',
      }),
    ],
  },
  {
    name: `the host is reached over IPv${family} by its gateway address and by its own, in the host device`,
    steps: [
      sends(
        'a',
        viaGateway(
          'a',
          family === 4 ? networks.blue.gateway4 : networks.blue.gateway6,
          family,
          build.echo(family, 'request'),
        ),
        {
          verdict: 'redirect',
          out: { eth: { destination: hostDevice.mac } },
        },
      ),
      sends('a', viaGateway('a', addressOf('host', family), family, build.tcp({ source: 40000, destination: 22 })), {
        verdict: 'redirect',
        out: { eth: { destination: hostDevice.mac } },
      }),
    ],
  },
]);
