import type { DropReason } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import * as build from '../packet/build.ts';
import type { Decoded } from '../packet/decode.ts';
import { endpoints, hostDevice, networks, uplink } from '../world/plan.ts';
import {
  addressOf,
  arrives,
  families,
  fromHost,
  fromOutside,
  hostSends,
  ip,
  type PacketCase,
  sends,
  viaGateway,
} from './say.ts';

const { a } = endpoints;

/** The port that a masqueraded packet left from. */
export function sourcePort(decoded: Decoded | undefined): number {
  const header = decoded?.tcp ?? decoded?.udp ?? decoded?.sctp;
  if (!header) throw new Error('the packet has no ports');
  return header.source;
}

/** Containers to the world and back; the host to containers. */
export const outside: readonly PacketCase[] = [
  ...families.flatMap((family): PacketCase[] => {
    const [world, host, own] = [addressOf('world', family), addressOf('host', family), addressOf('a', family)];
    const kinds = {
      TCP: (source: number, destination: number, answer: boolean) =>
        build.tcp({ source, destination, flags: answer ? 'SA' : 'S' }),
      UDP: (source: number, destination: number) => build.udp({ source, destination }),
      SCTP: (source: number, destination: number, answer: boolean) =>
        build.sctp({
          source,
          destination,
          ...(answer ? { tag: 7, chunks: [{ type: build.SctpChunk.INIT_ACK, value: new Uint8Array(20) }] } : {}),
        }),
    } as const;
    return [
      ...Object.entries(kinds).map(([name, layer]) => ({
        name: `${name} over IPv${family} to the world leaves under the host's address, and the answer comes back`,
        steps: [
          sends('a', viaGateway('a', world, family, layer(40000, 443, false), build.payload(5)), {
            verdict: 'redirect',
            out: { ip: { source: host, destination: world } },
          }),
          arrives(([sent]) => fromOutside(world, host, family, layer(443, sourcePort(sent), true), build.payload(3)), {
            verdict: 'redirect',
            out: { ip: { source: world, destination: own }, [name.toLowerCase()]: { source: 443, destination: 40000 } },
          }),
        ],
      })),
      {
        name: `a ping over IPv${family} to the world leaves under the host's address, and the answer comes back`,
        steps: [
          sends('a', viaGateway('a', world, family, build.echo(family, 'request', { id: 77 })), {
            verdict: 'redirect',
            out: { ip: { source: host } },
          }),
          arrives(
            ([sent]) =>
              fromOutside(world, host, family, build.echo(family, 'reply', { id: (sent?.icmp?.rest ?? 0) >>> 16 })),
            { verdict: 'redirect', out: { ip: { destination: own }, icmp: { rest: (77 << 16) | 1 } } },
          ),
        ],
      },
      {
        name: `a packet over IPv${family} to the world with no hops left is told so`,
        steps: [
          sends(
            'a',
            build.packet(
              build.eth({ source: a.mac, destination: hostDevice.mac }),
              ip(family, own, world, { ttl: 1 }),
              build.udp({ source: 40000, destination: 33434 }),
              build.payload(64),
            ),
            {
              verdict: 'redirect',
              reason: 'TTL_EXCEEDED',
              out: { ip: { destination: own }, icmp: { type: family === 4 ? 11 : 3 } },
            },
          ),
        ],
      },
      {
        name: `a packet over IPv${family} that is too big for the uplink is told so`,
        prepare: (world_) =>
          world_.maps.uplinks.set(world_.index(uplink.device), {
            flags: 0,
            mtu: 1280,
            masquerade4: parseAddress(uplink.ip4),
            masquerade6: parseAddress(uplink.ip6),
          }),
        steps: [
          sends(
            'a',
            viaGateway('a', world, family, build.udp({ source: 40000, destination: 53 }), build.payload(1300)),
            {
              verdict: 'redirect',
              reason: 'TOO_BIG',
              out: { ip: { destination: own }, icmp: { type: family === 4 ? 3 : 2 } },
            },
          ),
        ],
      },
      {
        name: `where the host has forbidden a destination of IPv${family}, there is no route`,
        prepare: (world_) => world_.ip(`route add blackhole ${world}`),
        steps: [
          sends('a', viaGateway('a', world, family, build.udp({ source: 1, destination: 53 })), {
            verdict: 'drop',
            reason: 'NO_ROUTE',
            afterwards: (world_) => world_.ip(`route delete blackhole ${world}`),
          }),
        ],
      },
      {
        name: `masquerading over IPv${family} ends when no port is free, and says so`,
        prepare: (world_) => world_.maps.config.set(0, { ...world_.config, snatPortMin: 61_000, snatPortMax: 61_000 }),
        steps: [
          sends('a', viaGateway('a', world, family, build.udp({ source: 1, destination: 53 })), {
            verdict: 'redirect',
          }),
          sends('a', viaGateway('a', world, family, build.udp({ source: 2, destination: 53 })), {
            verdict: 'drop',
            reason: 'SNAT_EXHAUSTED',
          }),
        ],
      },
      {
        name: `masqueraded flows over IPv${family} end at the endpoint's quota`,
        prepare: (world_) => {
          world_.maps.config.set(0, { ...world_.config, snatQuota: 1 });
          world_.beginQuotaWindow(a.number);
        },
        steps: [
          sends('a', viaGateway('a', world, family, build.udp({ source: 1, destination: 53 })), {
            verdict: 'redirect',
          }),
          sends('a', viaGateway('a', world, family, build.udp({ source: 2, destination: 53 })), {
            verdict: 'drop',
            reason: 'SNAT_QUOTA',
          }),
        ],
      },
      {
        name: `an uplink without an IPv${family} address masquerades nothing`,
        prepare: (world_) =>
          world_.maps.uplinks.set(world_.index(uplink.device), {
            flags: 0,
            mtu: 1500,
            masquerade4: new Uint8Array(16),
            masquerade6: new Uint8Array(16),
          }),
        steps: [
          sends('a', viaGateway('a', world, family, build.udp({ source: 1, destination: 53 })), {
            verdict: 'drop',
            reason: 'NO_SOURCE_ADDRESS',
          }),
        ],
      },
      {
        name: `a container's own IPv${family} address is out of reach from outside`,
        steps: [
          arrives(fromOutside(world, own, family, build.tcp({ source: 5000, destination: 80 })), {
            verdict: 'drop',
            reason: 'NOT_PUBLISHED',
          }),
          arrives(fromOutside(world, own, family, build.echo(family, 'request')), {
            verdict: 'drop',
            reason: 'NOT_PUBLISHED',
          }),
        ],
      },
      {
        name: `a source over IPv${family} from one of our networks is spoofed when it comes from outside`,
        steps: [
          arrives(fromOutside(addressOf('b', family), host, family, build.tcp({ source: 5000, destination: 8080 })), {
            verdict: 'drop',
            reason: 'SPOOFED',
          }),
        ],
      },
      {
        name: `the host's own IPv${family} services are none of our business`,
        steps: [
          arrives(fromOutside(world, host, family, build.tcp({ source: 5000, destination: 22 })), { verdict: 'pass' }),
          arrives(fromOutside(world, host, family, build.echo(family, 'request')), { verdict: 'pass' }),
        ],
      },
      {
        name: `the host reaches its containers over IPv${family}, and they answer`,
        steps: [
          hostSends(
            fromHost(
              family === 4 ? networks.blue.gateway4 : networks.blue.gateway6,
              own,
              family,
              build.tcp({ source: 5000, destination: 80 }),
            ),
            {
              verdict: 'redirect',
              out: { eth: { source: hostDevice.mac, destination: a.mac } },
            },
          ),
          sends(
            'a',
            viaGateway(
              'a',
              family === 4 ? networks.blue.gateway4 : networks.blue.gateway6,
              family,
              build.tcp({ source: 80, destination: 5000, flags: 'SA' }),
            ),
            {
              verdict: 'redirect',
              out: { eth: { destination: hostDevice.mac } },
            },
          ),
        ],
      },
      {
        name: `what the host routes over IPv${family} from elsewhere to a container is dropped`,
        steps: [
          {
            ...hostSends(fromHost(world, own, family, build.tcp({ source: 5000, destination: 80 })), {
              verdict: 'drop',
              reason: 'FORWARDED_BY_HOST',
            }),
            receivedOn: uplink.device,
          },
        ],
      },
      {
        name: `an address of a network that nobody has is no destination for the host over IPv${family}`,
        steps: [
          hostSends(
            fromHost(
              networks.blue[`gateway${family}`],
              family === 4 ? '10.88.0.99' : 'fd00:88::99',
              family,
              build.udp({ source: 1, destination: 2 }),
            ),
            {
              verdict: 'drop',
              reason: 'NO_ENDPOINT',
            },
          ),
        ],
      },
      {
        name: `multicast of the host over IPv${family} stays on the host device`,
        steps: [
          hostSends(
            fromHost(
              networks.blue[`gateway${family}`],
              family === 4 ? '224.0.0.251' : 'ff02::fb',
              family,
              build.udp({ source: 5353, destination: 5353 }),
            ),
            {
              verdict: 'drop',
              reason: 'MULTICAST_FROM_HOST',
            },
          ),
        ],
      },
    ];
  }),
];

/** Reasons that no packet alone can bring about, each with why. */
export const unreachable: Partial<Record<keyof typeof DropReason, string>> = {
  NONE: 'not a drop',
  COUNT: 'not a reason',
  SPOOFED_TUNNEL: 'a run brings no tunnel along: forged-tunnels.test.ts reaches it',
  NOT_ENCRYPTED: 'likewise: encrypted.test.ts reaches it',
  CONNTRACK_FULL: 'an LRU map makes room instead: only a kernel without memory refuses',
};
