import { expect } from 'vitest';
import { ConfigFlag, Counter, NetworkFlag, PublishFlag, UplinkFlag } from '../../../src/maps/generated/abi.ts';
import { parseAddress, parseMac } from '../../../src/model/address.ts';
import { nodeAddrEntries, nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import * as build from '../packet/build.ts';
import type { Layer } from '../packet/layer.ts';
import { hostDevice, networks, overlay, overlayMtu, remotes, uplink } from '../world/plan.ts';
import type { World } from '../world/world.ts';
import { addressOf, arrives, type Content, fromOutside, ip, type PacketCase, type Step } from './say.ts';

const { z } = remotes;
const network = networks.wide.number;
const [own, node] = overlay.tunnels4;
const nodeMac = '02:42:0a:00:02:15';
const [client, host] = [addressOf('world', 4), addressOf('host', 4)];
const hostPort = 8889;
const ports = { source: 5000, destination: hostPort };
const ack = build.tcp({ ...ports, flags: 'A' });
const asks = (...content: Content) => fromOutside(client, host, 4, ...content);

/** A port of both protocols that leads to `z`, whose host answers; by an uplink that transmits. */
function straight(world: World): void {
  for (const protocol of [6, 17]) {
    const key = { addr: parseAddress('0.0.0.0'), port: hostPort, protocol };
    const flags = PublishFlag.REMOTE | PublishFlag.STRAIGHT;
    world.maps.published.set(key, { addr: parseAddress(addressOf('z', 4)), network, port: 80, flags });
  }
  for (const { key, value } of nodeAddrEntries([uplink.ip4], [{ number: z.node, addresses: ['203.0.113.77'] }])) {
    world.maps.nodeAddrs.raw.update(key, value);
  }
  for (const [number, address] of overlay.tunnels4.entries()) {
    world.maps.nodes.set(number, nodeValue(parseAddress(address)));
  }
  changeUplink(world, { flags: UplinkFlag.XDP_TRANSMITS });
  world.ip(`neighbour replace ${node} lladdr ${nodeMac} dev ${uplink.device} nud permanent`);
  world.maps.config.set(0, { ...world.config, flags: ConfigFlag.STRAIGHT_BY_XDP });
}

function changeUplink(world: World, change: { mtu?: number; flags?: number }): void {
  const index = world.index(uplink.device);
  const known = world.maps.uplinks.get(index);
  if (known) world.maps.uplinks.set(index, { ...known, ...change });
}

const meets = (bytes: Uint8Array, expected: Pick<Step, 'verdict' | 'reason' | 'out'>): Step => ({
  ...{ hook: 'xdp_uplink', device: uplink.device, packet: bytes },
  ...expected,
});
const passes = (bytes: Uint8Array) => meets(bytes, { verdict: 'pass' });

/** By from_uplink, with all its checks. */
const known = arrives(asks(ack), { verdict: 'redirect', out: { ip: { source: own, destination: node } } });

/** What is in the tunnel: as the client has sent it, but for the frame and a hop. */
function carries(frame: Uint8Array, tos = 0) {
  const inner = [...parseMac(z.mac), ...parseMac(hostDevice.mac), 8, 0, ...lowered(frame.slice(14))];
  return {
    verdict: 'redirect',
    out: {
      eth: { source: uplink.mac, destination: nodeMac },
      ip: { source: own, destination: node, ttl: 64, tos },
      udp: { destination: 4789, checksum: 0 },
      payload: Uint8Array.of(8, 0, 0, 0, 0, network >> 8, network & 0xff, 0, ...inner),
    },
  } as const;
}

/** A packet after a router: its checksum made anew, not by what has changed. */
function lowered(packet: Uint8Array): Uint8Array {
  const after = Uint8Array.from(packet);
  const view = new DataView(after.buffer);
  view.setUint8(8, view.getUint8(8) - 1);
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  view.setUint16(10, ~sum & 0xffff);
  return after;
}

/** After a packet that is known has been sent on, one that is not as simple, or no longer permitted, goes to from_uplink. */
function left(name: string, frame: Uint8Array, change: (world: World) => void = () => undefined): PacketCase {
  return {
    name: `${name} goes on to the stack`,
    prepare: straight,
    steps: [known, { ...meets(asks(ack), carries(asks(ack))), afterwards: change }, passes(frame)],
  };
}

const frame = (...layers: readonly Layer[]) =>
  build.packet(build.eth({ source: uplink.gatewayMac, destination: uplink.mac }), ...layers);

/** What is sent on to the host that answers before there is a socket buffer. */
export const straightByXdp: readonly PacketCase[] = [
  {
    name: 'of a connection the handshake goes to the stack, and what follows is sent on before it',
    prepare: straight,
    steps: [
      passes(asks(ack)),
      arrives(asks(build.tcp({ ...ports, flags: 'S' })), { verdict: 'redirect' }),
      passes(asks(ack)),
      known,
      meets(asks(ack), carries(asks(ack))),
      ...(['A', 'FA', 'R'] as const).map((flags) => {
        const packet = asks(build.tcp({ ...ports, flags }), build.payload(700));
        return meets(packet, carries(packet));
      }),
    ],
  },
  {
    name: 'of datagrams all but the first are sent on before the stack, and counted',
    prepare: (world) => {
      straight(world);
      before = sentOn(world);
    },
    steps: [
      passes(asks(build.udp(ports))),
      arrives(asks(build.udp(ports)), { verdict: 'redirect' }),
      {
        ...meets(asks(build.udp(ports), build.payload(33)), carries(asks(build.udp(ports), build.payload(33)))),
        afterwards: (world) => expect(sentOn(world) - before).toBe(1),
      },
    ],
  },
  {
    name: 'congestion that such a packet has met is not told of the tunnel',
    prepare: straight,
    steps: [
      known,
      ...[3, 1].map((tos) => {
        const packet = frame(ip(4, client, host, { tos }), ack);
        return meets(packet, carries(packet, tos === 3 ? 2 : tos));
      }),
    ],
  },
  left('a packet that ends where it is', frame(ip(4, client, host, { ttl: 1 }), ack)),
  left('what is too large for the network', asks(ack, build.payload(overlayMtu))),
  left('what is too large for the uplink', asks(ack, build.payload(1200)), (world) => {
    changeUplink(world, { mtu: 1280 });
    waitATick();
  }),
  left(
    'a frame that is for another machine',
    build.packet(build.eth({ source: uplink.gatewayMac, destination: '02:00:00:00:00:99' }), ip(4, client, host), ack),
  ),
  left('another flow', asks(build.tcp({ ...ports, source: 5001, flags: 'A' }))),
  left('a packet that is cut short', asks(ack).slice(0, 14 + 20 + 2)),
  ...[24].flatMap((size) =>
    build
      .fragments4(
        build.eth({ source: uplink.gatewayMac, destination: uplink.mac }),
        { source: client, destination: host },
        [ack, build.payload(64)],
        [size],
      )
      .map((bytes, index) => left(`fragment ${index + 1} of a packet`, bytes)),
  ),
  left('a packet after permissions have changed', asks(ack), (world) =>
    world.maps.config.set(0, { ...world.config, generation: world.config.generation + 2 }),
  ),
  left('a packet by an uplink that no longer transmits', asks(build.tcp({ ...ports, flags: 'A' })), (world) => {
    changeUplink(world, { flags: 0 });
    waitATick();
  }),
  {
    name: 'what has come by an uplink that brings no whole frames goes to the stack, however it leaves',
    prepare: (world) => {
      straight(world);
      changeUplink(world, { flags: 0 });
    },
    steps: [
      { ...known, afterwards: (world) => changeUplink(world, { flags: UplinkFlag.XDP_TRANSMITS }) },
      passes(asks(ack)),
    ],
  },
  left('a packet of a network that is gone', asks(ack), (world) => world.maps.networks.set(network, absent(world))),
  left('a packet to a host that is gone', asks(ack), (world) =>
    world.maps.nodes.set(z.node, nodeValue(new Uint8Array(16))),
  ),
  left('a packet while nothing is sent on', asks(ack), (world) =>
    world.maps.config.set(0, { ...world.config, flags: 0 }),
  ),
  {
    name: 'who is denied is dropped all the same',
    prepare: straight,
    steps: [known, meets(fromOutside('192.0.2.1', host, 4, ack), { verdict: 'drop', reason: 'DENY_LIST' })],
  },
  {
    name: 'what is encrypted between hosts is never sent on before the stack',
    prepare: (world) => {
      straight(world);
      const known = world.maps.networks.get(network);
      if (known) world.maps.networks.set(network, { ...known, flags: known.flags | NetworkFlag.ENCRYPTED });
    },
    steps: [arrives(asks(ack), { verdict: 'drop', reason: 'NO_KEY' }), passes(asks(ack))],
  },
];

let before = 0;

function sentOn(world: World): number {
  const cpus = world.maps.counters.get(Counter.STRAIGHT_BY_XDP) ?? [];
  return cpus.reduce((sum, count) => sum + Number(count), 0);
}

/** Ways are kept for a jiffy, of 10 ms at the most. */
function waitATick(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 15);
}

function absent(world: World) {
  const known = world.maps.networks.get(network);
  if (!known) throw new Error('the network is not there');
  return { ...known, flags: 0 };
}
