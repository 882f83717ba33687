/**
 * Times each path through the datapath with 1, 1,000 and 64,000 of what it looks among, in namespaces of this process's
 * own, each beside one operation on a map that no change of ours touches; prints
 * `[{"path": …, "count": …, "whole": [nanoseconds a packet, …], "alone": […]}, …]`.
 *
 *   sudo node bench/programs/path-cost.ts [runs] [packets]
 */
import { EndpointFlag, PolicyDirection } from '../../src/maps/generated/abi.ts';
import { parseAddress, parseMac } from '../../src/model/address.ts';
import { policyHalf } from '../../src/reconcile/policy/encode.ts';
import { tcp } from '../../test/kernel/packet/build.ts';
import { Protocol } from '../../test/kernel/packet/ip.ts';
import { between, fromHost, fromOutside, viaGateway } from '../../test/kernel/tables/say.ts';
import { deny } from '../../test/kernel/world/fill.ts';
import { endpoints, hostDevice, networks, world as outside, uplink } from '../../test/kernel/world/plan.ts';
import { allow, govern, portSet, rule } from '../../test/kernel/world/policy.ts';
import { type HookName, World } from '../../test/kernel/world/world.ts';
import { Varied, type VariedRun } from './varied.ts';

const runs = Number(process.argv[2] ?? 15);
const repeat = Number(process.argv[3] ?? 200_000);

using world = World.create({});
using varied = new Varied(world);

type Operation = Parameters<Varied['alone']>[0];

interface Prepared {
  readonly packet: Uint8Array;
  readonly run: VariedRun;
}

interface Path {
  readonly name: string;
  readonly counts: readonly number[];
  /** Fills the maps, and has the flows begin; gives what is then timed. */
  readonly prepare: (count: number) => Prepared;
  readonly alone: Operation;
}

const ports = { source: 1024, destination: 1024 };
const segment = (flags: string) => tcp({ ...ports, flags });
const [a, b] = [endpoints.a, endpoints.b];
const { gateway4 } = networks.blue;

/** A flow's two ends: where its packets are taken, and what they look like. */
interface End {
  readonly hook: HookName;
  readonly device: string;
  readonly packet: (flags: string) => Uint8Array;
}

const aToB: End = { hook: 'from_endpoint', device: a.device, packet: (flags) => between('a', 'b', 4, segment(flags)) };
const bToA: End = { hook: 'from_endpoint', device: b.device, packet: (flags) => between('b', 'a', 4, segment(flags)) };
const aTo = (address: string): End => ({
  hook: 'from_endpoint',
  device: a.device,
  packet: (flags) => viaGateway('a', address, 4, segment(flags)),
});
const worldTo = (address: string): End => ({
  hook: 'from_uplink',
  device: uplink.device,
  packet: (flags) => fromOutside(outside.ip4, address, 4, segment(flags)),
});
const hostToA: End = {
  hook: 'from_host',
  device: hostDevice.device,
  packet: (flags) => fromHost(gateway4, a.ip4, 4, segment(flags)),
};

/** So many flows, whose handshakes are over. */
function established(there: End, back: End, flows: number): Prepared {
  const shape = { flows, repeat: flows };
  const [at, from] = [
    { hook: there.hook, device: there.device },
    { hook: back.hook, device: back.device },
  ];
  varied.tc(there.packet('S'), { ...at, ...shape });
  varied.tc(back.packet('SA'), { ...from, ...shape, reply: true });
  const packet = there.packet('A');
  varied.tc(packet, { ...at, ...shape });
  varied.alone('insert', packet, { ...at, ...shape });
  return { packet, run: { ...at, flows, repeat } };
}

/** Every packet begins one; conntrack is full after the first run. */
function beginning({ hook, device, packet }: End, clients = 64_000): Prepared {
  const run = { hook, device, clients, flows: 60_000 * 1000, repeat };
  varied.tc(packet('S'), run);
  varied.alone('insert', packet('S'), run);
  return { packet: packet('S'), run: { ...run, goOn: true } };
}

/** 10.x.y.z by number, none of them one of the plan's. */
function addressOf(number: number): string {
  return `10.${200 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const scale = [1, 1000, 64_000];

const paths: readonly Path[] = [
  {
    name: 'established, container to container; flows',
    counts: scale,
    prepare: (flows) => established(aToB, bToA, flows),
    alone: 'lookup',
  },
  {
    name: 'established, outside to a published port; flows',
    counts: scale,
    prepare(flows) {
      const target = { addr: parseAddress(a.ip4), network: networks.blue.number, port: ports.destination, flags: 0 };
      const port = { addr: parseAddress('0.0.0.0'), port: ports.destination, protocol: Protocol.TCP };
      world.maps.published.set(port, target);
      return established(worldTo(uplink.ip4), aTo(outside.ip4), flows);
    },
    alone: 'lookup',
  },
  {
    name: 'established, host to container; flows',
    counts: scale,
    prepare: (flows) => established(hostToA, aTo(gateway4), flows),
    alone: 'lookup',
  },
  {
    // Nobody answers: the port that it got is the datapath's to choose
    name: 'masqueraded and not answered yet; flows',
    // An endpoint may have 4,096 of them
    counts: [1, 1000, 4000],
    prepare(flows) {
      const { hook, device, packet } = aTo(outside.ip4);
      const run = { hook, device, flows };
      varied.tc(packet('S'), { ...run, repeat: flows });
      varied.alone('insert', packet('S'), { ...run, repeat: flows });
      return { packet: packet('A'), run: { ...run, repeat } };
    },
    alone: 'lookup',
  },
  {
    name: 'new flow; endpoints',
    counts: scale,
    prepare(count) {
      const common = { number: 100, network: networks.blue.number, mac: parseMac(b.mac), flags: EndpointFlag.NONE };
      const value = { ...common, ifindex: world.index(b.device) };
      world.maps.endpoints.setMany(
        numbers(count).map((number) => [
          { network: common.network, addr: parseAddress(addressOf(number)) },
          { ...value, v4: value, v6: value },
        ]),
      );
      return beginning(aToB);
    },
    alone: 'insert',
  },
  {
    name: 'new flow that policy judges; pairs',
    counts: scale,
    prepare(count) {
      govern(world, 'b', 'INGRESS');
      rule(world, 'b', 'INGRESS', 'a', allow);
      world.maps.policy.setMany(
        numbers(count).map((number) => {
          const key = { subject: 1000 + (number >> 6), peer: 1000 + (number & 63), direction: PolicyDirection.INGRESS };
          const half = policyHalf(key, allow);
          return [key, { half: [half, half] }];
        }),
      );
      return beginning(aToB);
    },
    alone: 'insert',
  },
  {
    name: 'new flow that policy judges by its port; entries of ports',
    counts: scale,
    prepare(count) {
      govern(world, 'b', 'INGRESS');
      rule(world, 'b', 'INGRESS', 'a', 1);
      portSet(world, 1, allow);
      world.maps.policyPorts.setMany(
        numbers(count).map((number) => [
          { prefixlen: 64, set: 2 + (number >> 2), protocol: 6, port: number & 3 },
          allow,
        ]),
      );
      return beginning(aToB);
    },
    alone: 'insert',
  },
  {
    name: 'new masqueraded flow that policy judges; address blocks',
    counts: scale,
    prepare(count) {
      govern(world, 'a', 'EGRESS');
      rule(world, 'a', 'EGRESS', 'any', allow);
      world.maps.addressBlocks.setMany(
        numbers(count).map((number) => [
          { prefixlen: 32 + 128, family: 4, addr: parseAddress(addressOf(number)) },
          { identity: [1000, 1000] },
        ]),
      );
      return beginning(aTo(outside.ip4), 4000);
    },
    alone: 'insert',
  },
  {
    name: 'XDP deny, source not listed; prefixes',
    counts: scale,
    prepare(count) {
      // In the upper halves of their /24s, where no source of the packets is
      const prefix = (number: number) => `${1 + (number >> 13)}.${(number >> 5) & 255}.${number & 31}.128/32`;
      deny(world.maps, numbers(count).map(prefix));
      varied.setPrefixes([...world.maps.denyList.rawEntries()]);
      return { packet: aToB.packet('S'), run: { device: uplink.device, flows: 64_000, repeat } };
    },
    alone: 'prefix',
  },
];

const results: { path: string; count: number; whole: number[]; alone: number[] }[] = [];
for (const { name, counts, prepare, alone } of paths) {
  for (const count of counts) {
    world.restore();
    world.forget();
    const unlimited = { flowQuota: 0xffff_ffff, snatQuota: 0xffff_ffff, snatPortMin: 20_000, snatPortMax: 60_000 };
    world.maps.config.set(0, { ...world.config, ...unlimited });
    const { packet, run } = prepare(count);
    const result = { path: name, count, whole: [] as number[], alone: [] as number[] };
    // Both in turn, so that what disturbs one disturbs the other
    for (let i = 0; i < runs; i++) {
      result.alone.push(varied.alone(alone, packet, run));
      result.whole.push(alone === 'prefix' ? varied.xdp(packet, run) : varied.tc(packet, run));
    }
    results.push(result);
  }
}
process.stdout.write(`${JSON.stringify(results)}\n`);
