import * as build from '../packet/build.ts';
import { endpoints, hostDevice, uplink } from '../world/plan.ts';
import { addressOf, arrives, type Family, families, type PacketCase, sends } from './say.ts';

const { a, b } = endpoints;

function cut(
  family: Family,
  ethernet: build.Layer,
  source: string,
  destination: string,
  inside: build.Layer[],
  cuts: number[],
): [Uint8Array, ...Uint8Array[]] {
  const parts =
    family === 4
      ? build.fragments4(ethernet, { source, destination }, inside, cuts)
      : build.fragments6(ethernet, { source, destination }, inside, cuts);
  return parts as [Uint8Array, ...Uint8Array[]];
}

/** Fragments after the first have no ports. */
export const fragments: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const [own, other, world, host] = [
    addressOf('a', family),
    addressOf('b', family),
    addressOf('world', family),
    addressOf('host', family),
  ];
  const toNeighbour = build.eth({ source: a.mac, destination: b.mac });
  const toGateway = build.eth({ source: a.mac, destination: hostDevice.mac });
  const inward = build.eth({ source: uplink.gatewayMac, destination: uplink.mac });
  const datagram = (source: number, destination: number) => [build.udp({ source, destination }), build.payload(64)];
  const [first, second, third] = cut(family, toNeighbour, own, other, datagram(1000, 2000), [24, 48]);
  const out = cut(family, toGateway, own, world, datagram(1000, 53), [32]);
  const published = cut(family, inward, world, host, datagram(5000, 8053), [32]);
  const late = second ?? first;
  return [
    {
      name: `all fragments of a datagram reach a neighbour over IPv${family}`,
      steps: [first, late, third ?? first].map((bytes) =>
        sends('a', bytes, { verdict: 'redirect', out: { eth: { destination: b.mac } } }),
      ),
    },
    {
      name: `a later fragment over IPv${family} whose first was not seen is dropped`,
      steps: [sends('a', late, { verdict: 'drop', reason: 'FRAGMENT_UNKNOWN' })],
    },
    {
      name: `all fragments of a datagram to the world over IPv${family} are masqueraded`,
      steps: out.map((bytes) =>
        sends('a', bytes, { verdict: 'redirect', out: { ip: { source: host, destination: world } } }),
      ),
    },
    {
      name: `all fragments of a datagram to a published port over IPv${family} arrive`,
      steps: published.map((bytes) =>
        arrives(bytes, { verdict: 'redirect', out: { ip: { source: world, destination: own } } }),
      ),
    },
    {
      name: `SCTP in fragments over IPv${family} cannot be masqueraded: its checksum covers all of them`,
      steps: [
        sends(
          'a',
          cut(
            family,
            toGateway,
            own,
            world,
            [build.sctp({ source: 1000, destination: 9 }), build.payload(64)],
            [32],
          )[0],
          {
            verdict: 'drop',
            reason: 'REWRITE_FAILED',
          },
        ),
      ],
    },
    {
      name: `a first fragment over IPv${family} too short to hold its ports is dropped`,
      steps: [
        sends('a', cut(family, toNeighbour, own, other, [build.tcp({ source: 1000, destination: 2000 })], [8])[0], {
          verdict: 'drop',
          reason: 'FRAGMENT_OVERLAP',
        }),
      ],
    },
  ];
});
