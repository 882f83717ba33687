import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import { endpoints, networks } from '../world/plan.ts';
import type { World } from '../world/world.ts';
import { addressOf, arrives, families, fromOutside, type PacketCase, sends, viaGateway } from './say.ts';

const { a } = endpoints;

/** Takes a published port back, as the control plane does: the entry goes, the generation goes up. */
function unpublish(world: World, port: number): void {
  for (const address of ['0.0.0.0', '::']) {
    world.maps.published.delete({ addr: parseAddress(address), port, protocol: build.Protocol.TCP });
  }
  world.maps.config.set(0, { ...world.config, generation: world.config.generation + 1 });
}

/** Ports of the host that lead to endpoints. */
export const publishing: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [world, host, own] = [addressOf('world', family), addressOf('host', family), addressOf('a', family)];
  const [gateway, other] = [networks.blue[`gateway${family}`], networks.red[`gateway${family}`]];
  return [
    {
      name: `a published TCP port answers over IPv${family}, with the client's address kept`,
      steps: [
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'redirect',
          out: {
            eth: { destination: a.mac },
            ip: { source: world, destination: own },
            tcp: { source: 5000, destination: 80 },
          },
        }),
        sends('a', viaGateway('a', world, family, build.tcp({ source: 80, destination: 5000, flags: 'SA' })), {
          verdict: 'redirect',
          out: { ip: { source: host, destination: world }, tcp: { source: 8080, destination: 5000 } },
        }),
      ],
    },
    {
      name: `a published UDP port answers over IPv${family}, and a datagram without checksum stays without`,
      steps: [
        arrives(fromOutside(world, host, family, build.udp({ source: 5000, destination: 8053 }), build.payload(3)), {
          verdict: 'redirect',
          out: { ip: { destination: own }, udp: { destination: 53 } },
        }),
        sends(
          'a',
          viaGateway(
            'a',
            world,
            family,
            build.udp({ source: 53, destination: 5000, ...(family === 4 ? { checksum: 0 } : {}) }),
          ),
          {
            verdict: 'redirect',
            out: { ip: { source: host }, udp: { source: 8053, ...(family === 4 ? { checksum: 0 } : {}) } },
          },
        ),
      ],
    },
    {
      name: `a published SCTP port answers over IPv${family}`,
      steps: [
        arrives(fromOutside(world, host, family, build.sctp({ source: 5000, destination: 8009 })), {
          verdict: 'redirect',
          out: { ip: { destination: own }, sctp: { destination: 9 } },
        }),
        sends(
          'a',
          viaGateway(
            'a',
            world,
            family,
            build.sctp({
              source: 9,
              destination: 5000,
              tag: 3,
              chunks: [{ type: build.SctpChunk.INIT_ACK, value: new Uint8Array(20) }],
            }),
          ),
          { verdict: 'redirect', out: { ip: { source: host }, sctp: { source: 8009 } } },
        ),
      ],
    },
    {
      name: `an unpublished port of the host is the host's own over IPv${family}`,
      steps: [
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8082 })), { verdict: 'pass' }),
        arrives(fromOutside(world, host, family, build.udp({ source: 5000, destination: 8080 })), { verdict: 'pass' }),
      ],
    },
    {
      name: `a port published on loopback alone is not published to the outside over IPv${family}`,
      steps: [
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8099 })), { verdict: 'pass' }),
      ],
    },
    {
      name: `a neighbour reaches a published port by the host's IPv${family} address, and by its gateway's`,
      steps: [
        sends('b', viaGateway('b', host, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'redirect',
          out: { eth: { destination: a.mac }, ip: { destination: own }, tcp: { destination: 80 } },
        }),
        sends('b', viaGateway('b', gateway, family, build.tcp({ source: 5001, destination: 8080 })), {
          verdict: 'redirect',
          out: { ip: { destination: own } },
        }),
      ],
    },
    {
      name: `a container reaches its own published port by the host's IPv${family} address`,
      steps: [
        sends('a', viaGateway('a', host, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'redirect',
          out: { eth: { destination: a.mac }, ip: { destination: own } },
        }),
      ],
    },
    {
      name: `another network reaches a published port by the host's IPv${family} address, and the answer comes from there`,
      steps: [
        sends('c', viaGateway('c', host, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'redirect',
          out: { eth: { destination: a.mac }, ip: { destination: own }, tcp: { destination: 80 } },
        }),
        sends(
          'a',
          (before) =>
            viaGateway(
              'a',
              before[0]?.ip?.source ?? '',
              family,
              build.tcp({ source: 80, destination: before[0]?.tcp?.source ?? 0, flags: 'SA' }),
            ),
          {
            verdict: 'redirect',
            out: {
              eth: { destination: endpoints.c.mac },
              ip: { source: host, destination: addressOf('c', family) },
              tcp: { source: 8080, destination: 5000 },
            },
          },
        ),
      ],
    },
    {
      name: `another network does not reach a published port by the container's own IPv${family} address`,
      steps: [
        sends('c', viaGateway('c', own, family, build.tcp({ source: 5000, destination: 80 })), {
          verdict: 'drop',
          reason: 'ISOLATED',
        }),
        sends('c', viaGateway('c', own, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'drop',
          reason: 'ISOLATED',
        }),
      ],
    },
    {
      name: `an internal network reaches no published port over IPv${family}`,
      steps: [
        sends('i', viaGateway('i', other, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'drop',
          reason: 'INTERNAL_NETWORK',
        }),
      ],
    },
    {
      name: `a published port that is taken back stops its live connections over IPv${family}`,
      steps: [
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'redirect',
        }),
        sends('a', viaGateway('a', world, family, build.tcp({ source: 80, destination: 5000, flags: 'SA' })), {
          verdict: 'redirect',
        }),
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8080, flags: 'A' })), {
          verdict: 'redirect',
          afterwards: (world_) => unpublish(world_, 8080),
        }),
        sends(
          'a',
          viaGateway('a', world, family, build.tcp({ source: 80, destination: 5000, flags: 'PA' }), build.payload(9)),
          {
            verdict: 'drop',
            reason: 'POLICY_DENIED',
          },
        ),
        // Nothing of ours any more: the host's stack answers that nobody listens.
        arrives(
          fromOutside(
            world,
            host,
            family,
            build.tcp({ source: 5000, destination: 8080, flags: 'PA' }),
            build.payload(9),
          ),
          { verdict: 'pass' },
        ),
      ],
    },
    {
      name: `taking one port back over IPv${family} leaves the connections of another alone`,
      steps: [
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8081 })), {
          verdict: 'redirect',
          afterwards: (world_) => unpublish(world_, 8080),
        }),
        sends('c', viaGateway('c', world, family, build.tcp({ source: 81, destination: 5000, flags: 'SA' })), {
          verdict: 'redirect',
        }),
      ],
    },
  ];
});
