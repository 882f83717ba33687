/**
 * Times the programs of the datapath over packets of many flows, in namespaces of this process's own, and prints
 * `{"NAME": [nanoseconds a packet, …]}`.
 *
 *   sudo node bench/programs/packet-cost.ts
 */
import { tcp } from '../../test/kernel/packet/build.ts';
import { between, viaGateway } from '../../test/kernel/tables/say.ts';
import { deny } from '../../test/kernel/world/fill.ts';
import { endpoints, world as outside, uplink } from '../../test/kernel/world/plan.ts';
import { World } from '../../test/kernel/world/world.ts';
import { Varied } from './varied.ts';

const runs = 15;
const repeat = 500_000;

using world = World.create({});
using varied = new Varied(world);
world.maps.config.set(0, {
  ...world.config,
  flowQuota: 0xffff_ffff,
  snatQuota: 0xffff_ffff,
  snatPortMin: 20_000,
  snatPortMax: 60_000,
});

const ports = { source: 1024, destination: 1024 };
const syn = between('a', 'b', 4, tcp({ ...ports, flags: 'S' }));
const ack = between('a', 'b', 4, tcp({ ...ports, flags: 'A' }));
const synAck = between('b', 'a', 4, tcp({ ...ports, flags: 'SA' }));
const synToWorld = viaGateway('a', outside.ip4, 4, tcp({ ...ports, flags: 'S' }));
const [a, b] = [endpoints.a.device, endpoints.b.device];

const results: Record<string, number[]> = {};

/** Both in turn, so that what disturbs one disturbs the other. */
function measure(name: string, once: () => number, aloneName: string, alone: () => number): void {
  const [whole, part]: [number[], number[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    part.push(alone());
    whole.push(once());
  }
  results[name] = whole;
  results[aloneName] = part;
}

for (const flows of [1000, 64_000]) {
  world.forget();
  varied.tc(syn, { device: a, flows, repeat: flows });
  varied.tc(synAck, { device: b, flows, repeat: flows, reply: true });
  varied.tc(ack, { device: a, flows, repeat: flows });
  varied.alone('insert', ack, { device: a, flows, repeat: flows });
  measure(
    `established, ${flows} flows`,
    () => varied.tc(ack, { device: a, flows, repeat }),
    `lookup alone, ${flows} flows`,
    () => varied.alone('lookup', ack, { device: a, flows, repeat }),
  );
}
// As many as there can be: the map is full from the first runs on, and each flow takes the place of an old one
const many = { device: a, flows: 60_000 * 1000, repeat };
world.forget();
varied.tc(syn, many);
varied.alone('insert', syn, many);
measure(
  'new flow',
  () => varied.tc(syn, { ...many, goOn: true }),
  'insert alone',
  () => varied.alone('insert', syn, { ...many, goOn: true }),
);
world.forget();
// An endpoint may have 4,096 of them
const masqueraded = { ...many, clients: 4000 };
varied.tc(synToWorld, masqueraded);
measure(
  'new masqueraded flow',
  () => varied.tc(synToWorld, { ...masqueraded, goOn: true }),
  'insert alone, masqueraded',
  () => varied.alone('insert', synToWorld, { ...masqueraded, goOn: true }),
);

const prefixes = Array.from({ length: 100_000 }, (_, i) => {
  // In the upper halves of their /24s, where no source of the packets is
  const number = (Math.imul(i, 2_246_822_519) | 0x80) >>> 0;
  const length = 26 + (i % 7);
  const bits = (number & (0xffff_ffff << (32 - length))) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')}/${length}`;
});
deny(world.maps, prefixes);
varied.setPrefixes([...world.maps.denyList.rawEntries()]);
const sources = { device: uplink.device, flows: 64_000, repeat };
measure(
  'XDP deny, source not listed',
  () => varied.xdp(syn, sources),
  'prefix alone',
  () => varied.alone('prefix', syn, sources),
);
process.stdout.write(`${JSON.stringify(results)}\n`);
