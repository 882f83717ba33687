import { NetworkFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress } from '../../../src/model/address.ts';
import { nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import type { NodeCrypt } from '../../../src/reconcile/remotes/remote-table.ts';
import * as build from '../packet/build.ts';
import { endpoints, networks, overlay, remotes } from '../world/plan.ts';
import type { World } from '../world/world.ts';
import { addressOf, between, families, ip, type PacketCase, sends } from './say.ts';

const { x } = endpoints;
const { z } = remotes;
/** Addresses of this host's key and of the other one's. */
export const keys = { own: 'fd11:1111:1111::1', other: 'fd22:2222:2222::2' } as const;
const { own, other } = keys;
const network = networks.wide.number;
const mtu = 1360;

/** The network is encrypted, and a node has a key. Any device stands for WireGuard's: what it makes of it is its own. */
export const encrypted =
  (change: NodeCrypt = {}, tunnel: string | null = overlay.tunnels4[1]) =>
  (world: World) => {
    const known = world.maps.networks.get(network);
    if (known) world.maps.networks.set(network, { ...known, mtu, flags: known.flags | NetworkFlag.ENCRYPTED });
    const crypt = { to: parseAddress(other), from: parseAddress(own), ifindex: world.index('vt1'), ...change };
    world.maps.nodes.set(0, nodeValue(parseAddress(overlay.tunnels4[0])));
    world.maps.nodes.set(z.node, tunnel === null ? nodeValue() : nodeValue(parseAddress(tunnel), crypt));
  };

const none = new Uint8Array(16);

/** As WireGuard's device gets it, behind the Ethernet header that does not go along. */
const carries = (frame: Uint8Array, tos = 0) => ({
  verdict: 'redirect' as const,
  out: {
    eth: { source: x.mac, destination: z.mac },
    ip: { version: 6, source: own, destination: other, ttl: 64, tos },
    udp: { source: 0, destination: 0, checksum: 0, length: 16 + frame.length },
    payload: Uint8Array.of(8, 0, 0, 0, 0, network >> 8, network & 0xff, 0, ...frame),
  },
});

/** Whom packets between hosts go to by WireGuard, and what they look like there. What it brings is in test/kernel/overlay. */
export const encryption: readonly PacketCase[] = families.flatMap((family): PacketCase[] => {
  const asks = (tos = 0, size = 0) =>
    build.packet(
      build.eth({ source: x.mac, destination: z.mac }),
      ip(family, addressOf('x', family), addressOf('z', family), { tos }),
      build.udp({ source: 40000, destination: 53 }),
      ...(size > 0 ? [build.payload(size)] : []),
    );
  const of = `of IPv${family} on an encrypted network`;
  const headers = family === 4 ? 28 : 48;
  const datagram = [build.udp({ source: 1000, destination: 2000 }), build.payload(64)];
  const ethernet = build.eth({ source: x.mac, destination: z.mac });
  const ends = { source: addressOf('x', family), destination: addressOf('z', family) };
  const fragments =
    family === 4
      ? build.fragments4(ethernet, ends, datagram, [24, 48])
      : build.fragments6(ethernet, ends, datagram, [24, 48]);
  const answer = between('x', 'z', family, build.echo(family, 'reply'));
  const error = between(
    ...(['x', 'z', family] as const),
    family === 4 ? build.icmpErrors.unreachable(3) : build.icmpErrors.unreachable6(4),
    ip(family, addressOf('z', family), addressOf('x', family)),
    build.udp({ source: 53, destination: 40000 }),
  );
  return [
    {
      name: `a packet ${of} goes from key to key, in a frame as it was sent; so does the next of its flow`,
      prepare: encrypted(),
      steps: [asks(), asks(0, 7), asks(0, mtu - headers)].map((frame) => sends('x', frame, carries(frame))),
    },
    {
      name: `a packet ${of} goes by its key alone, whichever family lies beneath and with no device for tunnels`,
      prepare: (world) => {
        encrypted({}, overlay.tunnels[1])(world);
        world.maps.config.set(0, { ...world.config, overlayIfindex: 0 });
      },
      steps: [sends('x', asks(), carries(asks()))],
    },
    {
      name: `what a packet ${of} can tell of congestion is told outside`,
      prepare: encrypted(),
      steps: [sends('x', asks(1), carries(asks(1), 1)), sends('x', asks(3), carries(asks(3), 2))],
    },
    {
      name: `a packet ${of} under the network's own MAC goes with that of who is there`,
      prepare: encrypted(),
      steps: [
        sends(
          'x',
          build.packet(
            build.eth({ source: x.mac, destination: '02:42:0a:00:01:00' }),
            ip(family, addressOf('x', family), addressOf('z', family)),
            build.udp({ source: 40000, destination: 53 }),
          ),
          carries(asks()),
        ),
      ],
    },
    {
      name: `fragments, answers to a ping of everybody and errors ${of} go so, too`,
      prepare: encrypted(),
      steps: [
        ...[...fragments, answer].map((frame) => sends('x', frame, carries(frame))),
        sends('x', asks(), carries(asks())),
        sends('x', error, carries(error)),
      ],
    },
    {
      name: `what WireGuard does not take ${of} is dropped, and its sender told how large it may be`,
      prepare: encrypted(),
      steps: [
        sends('x', asks(0, mtu - headers + 1), {
          verdict: 'redirect',
          reason: 'TOO_BIG',
          out: { ip: { destination: addressOf('x', family) }, icmp: { type: family === 4 ? 3 : 2, rest: mtu } },
        }),
      ],
    },
    ...(
      [
        ['to a host without a key', { to: none }],
        ['from this host, without one', { from: none }],
        ['without a device', { ifindex: 0 }],
        ['to a host that only has a key which is not used yet', { to: none, also: parseAddress(other) }],
      ] as const
    ).map(
      ([name, change]): PacketCase => ({
        name: `a packet ${of} ${name} goes nowhere`,
        prepare: encrypted(change),
        steps: [asks(), asks()].map((frame) => sends('x', frame, { verdict: 'drop', reason: 'NO_KEY' })),
      }),
    ),
    {
      name: `a packet ${of} to a host that is not known any more goes nowhere`,
      prepare: encrypted({}, null),
      steps: [sends('x', asks(), { verdict: 'drop', reason: 'NO_NODE' })],
    },
    {
      name: `a flow of IPv${family} goes in the clear no more once its network is encrypted`,
      steps: [
        {
          ...sends('x', asks(), {
            verdict: 'redirect',
            out: { eth: { destination: z.mac }, payload: none.subarray(16) },
          }),
          afterwards: encrypted({ to: none }),
        },
        { ...sends('x', asks(), { verdict: 'drop', reason: 'NO_KEY' }), afterwards: encrypted() },
        sends('x', asks(), carries(asks())),
      ],
    },
  ];
});
