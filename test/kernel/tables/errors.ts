import * as build from '../packet/build.ts';
import { endpoints } from '../world/plan.ts';
import { sourcePort } from './outside.ts';
import { addressOf, arrives, between, families, fromOutside, ip, type PacketCase, sends, viaGateway } from './say.ts';

const { a } = endpoints;

/** ICMP errors belong to the flow that they are about, and their inside is translated, too. */
export const errors: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [world, host, own, other] = [
    addressOf('world', family),
    addressOf('host', family),
    addressOf('a', family),
    addressOf('b', family),
  ];
  const tooBig = family === 4 ? build.icmpErrors.fragmentationNeeded(1280) : build.icmpErrors.packetTooBig(1280);
  const unreachable = family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4);
  const type = { tooBig: family === 4 ? 3 : 2, unreachable: family === 4 ? 3 : 1 };
  const [gatewayOnTheWay] = [addressOf('gateway', family)];
  return [
    {
      name: `an error over IPv${family} about a flow between neighbours reaches the sender`,
      steps: [
        sends('a', between('a', 'b', family, build.udp({ source: 1000, destination: 2000 })), { verdict: 'redirect' }),
        sends(
          'b',
          between(
            'b',
            'a',
            family,
            unreachable,
            ip(family, own, other),
            build.udp({ source: 1000, destination: 2000 }),
          ),
          {
            verdict: 'redirect',
            out: { eth: { destination: a.mac }, icmp: { type: type.unreachable } },
          },
        ),
      ],
    },
    {
      name: `path MTU discovery over IPv${family} works through a masqueraded flow`,
      steps: [
        sends('a', viaGateway('a', world, family, build.udp({ source: 1000, destination: 53 })), {
          verdict: 'redirect',
        }),
        arrives(
          ([sent]) =>
            fromOutside(
              gatewayOnTheWay,
              host,
              family,
              tooBig,
              ip(family, host, world),
              build.udp({ source: sourcePort(sent), destination: 53 }),
            ),
          {
            verdict: 'redirect',
            out: {
              eth: { destination: a.mac },
              ip: { source: gatewayOnTheWay, destination: own },
              icmp: {
                type: type.tooBig,
                about: { ip: { source: own, destination: world }, udp: { source: 1000, destination: 53 } },
              },
            },
          },
        ),
      ],
    },
    {
      name: `path MTU discovery over IPv${family} works through a published port`,
      steps: [
        arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 8080 })), {
          verdict: 'redirect',
        }),
        sends('a', viaGateway('a', world, family, build.tcp({ source: 80, destination: 5000, flags: 'SA' })), {
          verdict: 'redirect',
        }),
        arrives(
          fromOutside(
            gatewayOnTheWay,
            host,
            family,
            tooBig,
            ip(family, host, world),
            build.raw(build.packet(build.tcp({ source: 8080, destination: 5000, flags: 'A' })).slice(0, 8), {
              protocol: 6,
            }),
          ),
          {
            verdict: 'redirect',
            out: {
              ip: { destination: own },
              icmp: { about: { ip: { source: own, destination: world }, tcp: { source: 80, destination: 5000 } } },
            },
          },
        ),
      ],
    },
    {
      name: `an error over IPv${family} that a container sends about a published flow leaves under the host's address`,
      steps: [
        arrives(fromOutside(world, host, family, build.udp({ source: 5000, destination: 8053 })), {
          verdict: 'redirect',
        }),
        sends(
          'a',
          viaGateway(
            'a',
            world,
            family,
            unreachable,
            ip(family, world, own),
            build.udp({ source: 5000, destination: 53 }),
          ),
          {
            verdict: 'redirect',
            out: {
              ip: { source: host, destination: world },
              icmp: { about: { ip: { source: world, destination: host }, udp: { source: 5000, destination: 8053 } } },
            },
          },
        ),
      ],
    },
    {
      name: `an error over IPv${family} about nothing we know is the host's own affair`,
      steps: [
        arrives(
          fromOutside(
            world,
            host,
            family,
            unreachable,
            ip(family, host, world),
            build.udp({ source: 1234, destination: 53 }),
          ),
          { verdict: 'pass' },
        ),
      ],
    },
  ];
});
