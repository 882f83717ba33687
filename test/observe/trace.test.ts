import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { traceView } from '../../src/api/schemas/trace.ts';
import { parseAddress, parseMac } from '../../src/model/address.ts';
import { buildPacket } from '../../src/observe/trace/packet.ts';
import { placePacket } from '../../src/observe/trace/place-packet.ts';
import { planTrace, type TraceEnd, type TraceSite } from '../../src/observe/trace/plan.ts';
import { Tracer } from '../../src/observe/trace/tracer.ts';
import { encrypted, keys } from '../kernel/tables/encryption.ts';
import {
  endpoints,
  hostDevice,
  networks,
  overlay,
  type PlannedEndpoint,
  remotes,
  uplink,
} from '../kernel/world/plan.ts';
import { smallMaps, World } from '../kernel/world/world.ts';

let world: World;
let tracer: Tracer;
let site: TraceSite;

beforeAll(() => {
  world = World.create();
  tracer = new Tracer({
    objectDirectory: fileURLToPath(new URL('../../bpf/build', import.meta.url)),
    mapPins: `${bpffsOfWorld()}/maps`,
    maxEntries: smallMaps,
    steps: world.maps.traceSteps,
    names: { deviceName: (ifindex) => `device ${ifindex}`, decidedBy: () => null },
  });
  site = {
    hostDevice: { ifindex: world.index(hostDevice.device), mac: parseMac(hostDevice.mac) },
    gateway(number, v4) {
      const network = Object.values(networks).find((candidate) => candidate.number === number);
      return network && parseAddress(v4 ? network.gateway4 : network.gateway6);
    },
    uplinks: [
      {
        ifindex: world.index(uplink.device),
        mac: parseMac(uplink.mac),
        addresses: [uplink.ip4, uplink.ip6].map(parseAddress),
        noEthernet: false,
      },
    ],
  };
});

afterAll(() => {
  tracer.close();
  world[Symbol.dispose]();
});

beforeEach(() => world.forget());

/** The last one that was mounted in this process's own namespace. */
function bpffsOfWorld(): string {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const paths = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.includes('vetch-world-'));
  return paths.at(-1) ?? '';
}

function end({ network, ip4, ip6, mac, device }: PlannedEndpoint): TraceEnd {
  const addresses = [ip4, ip6].map(parseAddress);
  return {
    kind: 'endpoint',
    network: networks[network].number,
    addresses,
    mac: parseMac(mac),
    ifindex: world.index(device),
  };
}

const { a, b, c } = endpoints;
const actions = (steps: readonly { action: string }[]) => steps.map(({ action }) => action);

async function trace(from: TraceEnd, to: TraceEnd, port: string) {
  const view = await tracer.run(planTrace(from, to, port, site));
  expect(traceView.parse(view)).toEqual(view);
  return view;
}

test('a packet between endpoints of a network is shown on its way, and leaves no trace in the datapath', async () => {
  const drops = world.dropCounts();
  const view = await trace(end(a), end(b), '80/tcp');
  expect(view).toMatchObject({ verdict: 'FORWARDED', reason: null });
  expect(actions(view.steps)).toContain('conntrack_miss');
  expect(view.steps.at(-1)).toEqual({
    hook: 'from_endpoint',
    action: 'to_endpoint',
    detail: `device ${world.index(b.device)} (ifindex ${world.index(b.device)})`,
  });
  expect([...world.maps.conntrack.entries()]).toEqual([]);
  expect(world.dropCounts()).toEqual(drops);
});

test('a packet to another host is shown until it leaves in its tunnel', async () => {
  const view = await trace(end(endpoints.x), end({ ...remotes.z, device: overlay.device }), '80/tcp');
  expect(view).toMatchObject({ verdict: 'FORWARDED', reason: null });
  expect(view.steps.at(-1)).toMatchObject({ action: 'to_remote', detail: String(remotes.z.node) });
  expect([...world.maps.conntrack.entries()]).toEqual([]);
});

test('on an encrypted network it is shown until it enters WireGuard, or why it does not', async () => {
  const far = end({ ...remotes.z, device: overlay.device });
  encrypted()(world);
  const view = await trace(end(endpoints.x), far, '80/tcp');
  const device = world.index('vt1');
  expect(view.steps.slice(-2)).toMatchObject([
    { action: 'to_remote', detail: String(remotes.z.node) },
    { action: 'to_wireguard', detail: `device ${device} (ifindex ${device})` },
  ]);
  expect(view.packetOut).toContain(Buffer.from(parseAddress(keys.other)).toString('hex'));
  encrypted({ ifindex: 0 })(world);
  expect(await trace(end(endpoints.x), far, '80/tcp')).toMatchObject({ verdict: 'DROPPED', reason: 'NO_KEY' });
  world.restore();
});

test('a packet to another network is dropped under its reason, and not counted', async () => {
  const drops = world.dropCounts();
  const view = await trace(end(a), end(c), '80/tcp');
  expect(view).toMatchObject({ verdict: 'DROPPED', reason: 'ISOLATED', packetOut: null });
  expect(view.steps.at(-1)).toMatchObject({ action: 'dropped', detail: 'ISOLATED' });
  expect(world.dropCounts()).toEqual(drops);
});

test('a packet from outside to a published port passes XDP and is translated', async () => {
  const view = await trace({ kind: 'world' }, { kind: 'host' }, '8080/tcp');
  expect(view.verdict).toBe('FORWARDED');
  expect(actions(view.steps)).toEqual(expect.arrayContaining(['published', 'translated', 'to_endpoint']));
  expect(view.packetOut).toContain(Buffer.from(parseAddress(a.ip4).subarray(12)).toString('hex'));
});

test('a source on the deny list gets no further than XDP', async () => {
  const view = await trace({ kind: 'world', address: parseAddress('192.0.2.1') }, { kind: 'host' }, '8080');
  expect(view).toMatchObject({ verdict: 'DROPPED', reason: 'DENY_LIST' });
  expect(new Set(view.steps.map(({ hook }) => hook))).toEqual(new Set(['xdp_uplink']));
});

test('a packet to the world is masqueraded, and takes no port', async () => {
  const view = await trace(end(a), { kind: 'world' }, '443/tcp');
  expect(view.verdict).toBe('FORWARDED');
  expect(actions(view.steps)).toEqual(expect.arrayContaining(['masqueraded', 'to_uplink']));
  expect([...world.maps.conntrack.entries()]).toEqual([]);
});

test('a process of the host reaches an endpoint', async () => {
  const view = await trace({ kind: 'host' }, end(a), '80');
  expect(view).toMatchObject({ verdict: 'FORWARDED' });
  expect(view.steps.at(-1)).toMatchObject({ hook: 'from_host', action: 'to_endpoint' });
});

test('every protocol can be traced, in both families', async () => {
  for (const port of ['53/udp', '9/sctp', 'icmp']) {
    expect(await trace(end(a), end(b), port)).toMatchObject({ verdict: 'FORWARDED' });
    const v6 = { ...end(b), addresses: [parseAddress(b.ip6)] } as TraceEnd;
    expect(await trace(end(a), v6, port)).toMatchObject({ verdict: 'FORWARDED' });
  }
});

test('a packet given as bytes is traced on the device that has its MAC', async () => {
  const spoofed = buildPacket({
    sourceMac: parseMac(a.mac),
    destinationMac: parseMac(b.mac),
    source: parseAddress(c.ip4),
    destination: parseAddress(b.ip4),
    protocol: 'udp',
    sourcePort: 1,
    destinationPort: 2,
  });
  const plan = placePacket(spoofed, 'from_endpoint', world.maps.interfaces.entries(), site);
  expect(plan.ifindex).toBe(world.index(a.device));
  expect(await tracer.run(plan)).toMatchObject({ verdict: 'DROPPED', reason: 'SPOOFED' });
});
