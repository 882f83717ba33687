import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { doctorCheck, statusView } from '../../src/api/schemas/status.ts';
import { BpfObject } from '../../src/loader/object.ts';
import { PinTree } from '../../src/loader/pin.ts';
import { ConfigFlag, ConntrackFlag, NetworkFlag } from '../../src/maps/generated/abi.ts';
import { type Maps, openMaps } from '../../src/maps/open.ts';
import { parseAddress, parseMac } from '../../src/model/address.ts';
import { Collector } from '../../src/observe/conntrack/collector.ts';
import { conntrackFilter, flowEntry, type Tuple } from '../../src/observe/conntrack/testing.ts';
import { flowQuery, plainNames } from '../../src/observe/flows/testing.ts';
import { Observer, type ObserverOptions } from '../../src/observe/observer.ts';
import { skBuff } from '../../src/observe/trace/context.ts';
import { buildPacket } from '../../src/observe/trace/packet.ts';

const objectDirectory = fileURLToPath(new URL('../../bpf/build', import.meta.url));

/** Test runs without a device of their own are on the loopback device. */
const loopback = 1;
const mac = parseMac('02:42:0a:58:00:02');

let owned: DisposableStack;
let directory: string;
let object: BpfObject;
let maps: Maps;
let observer: Observer;

/** Gives from_endpoint the first packet of a flow; from any address but 10.88.0.2 it is spoofed. */
function send(source: string, sourcePort: number, repeat = 1): void {
  const packet = buildPacket({
    sourceMac: mac,
    destinationMac: parseMac('02:42:0a:58:00:03'),
    source: parseAddress(source),
    destination: parseAddress('10.88.0.3'),
    protocol: 'tcp',
    sourcePort,
    destinationPort: 80,
  });
  object.program('from_endpoint').testRun({ data: packet, context: skBuff(loopback), repeat });
}

const spoof = (sourcePort: number, repeat?: number) => send('10.88.0.9', sourcePort, repeat);

/** An endpoint at 10.88.0.2 behind the loopback device, and its neighbour 10.88.0.3. */
function fill(): void {
  const config = maps.config.get(0);
  if (!config) throw new Error('an array has all its entries');
  maps.config.set(0, {
    ...config,
    flags: ConfigFlag.EVENTS_DROPPED | ConfigFlag.EVENTS_FORWARDED,
    hostIfindex: loopback,
    snatPortMin: 61_000,
    snatPortMax: 65_535,
    flowQuota: 1000,
    timeoutNew: 30,
    timeoutUdp: 120,
  });
  const network = maps.networks.get(1);
  if (!network) throw new Error('an array has all its entries');
  maps.networks.set(1, { ...network, flags: NetworkFlag.PRESENT, mtu: 1500 });
  const none = new Uint8Array(16);
  const rest = { number: 1, network: 1, identity: 256, mac, flags: 0 };
  maps.interfaces.set(loopback, {
    ...rest,
    ifindex: loopback,
    v4: parseAddress('10.88.0.2'),
    v6: none,
    linkLocal: none,
    lanIfindex: 0,
  });
  maps.endpoints.set({ network: 1, addr: parseAddress('10.88.0.3') }, { ...rest, number: 2, ifindex: loopback });
  maps.subnets.set({ prefixlen: 112, addr: parseAddress('10.88.0.0') }, { network: 1, flags: 0 });
}

beforeEach(() => {
  owned = new DisposableStack();
  const path = mkdtempSync(join(tmpdir(), 'vt-observe-bpffs-'));
  directory = path;
  owned.defer(() => rmdirSync(path));
  execFileSync('mount', ['-t', 'bpf', 'bpf', path]);
  owned.defer(() => execFileSync('umount', [path]));
  const pins = new PinTree(directory);
  pins.create();
  object = owned.use(
    BpfObject.load(join(objectDirectory, 'endpoint.bpf.o'), {
      pinMaps: pins.maps,
      maxEntries: { flow_events: 1024 * 1024 },
    }),
  );
  maps = owned.use(openMaps(pins.maps));
  fill();
  const collector = new Collector({
    program: { expire: async () => ({ live: 20_000, deleted: 0 }), flush: async () => 0 },
    onError: () => {},
  });
  owned.defer(() => void collector.close());
  const options: ObserverOptions = {
    maps,
    pins,
    objectDirectory,
    node: 'here',
    version: '0',
    collector,
    host: {
      directory: { version: 1, endpointAt: () => undefined, networkName: () => 'shop', decidedBy: () => null },
      names: plainNames,
      counts: () => ({ networks: 1, endpoints: 2, ports: 3, policies: 0, drift: 4 }),
      knownEntries: () => new Map([['endpoints', 2]]),
      traceEnd: () => ({ kind: 'host' }),
      traceSite: () => ({ hostDevice: { ifindex: 1, mac: new Uint8Array(6) }, gateway: () => undefined, uplinks: [] }),
      deviceName: () => 'lo',
      uplinks: () => [],
    },
  };
  observer = owned.use(new Observer(options));
});

afterEach(() => owned.dispose());

async function rows<T>(source: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of source) all.push(row);
  return all;
}

const never = new AbortController().signal;

test('what the datapath drops and what it lets begin is found by a query', async () => {
  for (const port of [1, 2, 3]) spoof(port);
  for (const port of [4, 5]) send('10.88.0.2', port);
  await setTimeout(50);
  const dropped = await rows(observer.flows(flowQuery({ include: { verdict: ['DROPPED'] } }), never));
  expect(dropped.map(({ source }) => source.port)).toEqual([1, 2, 3]);
  expect(dropped[0]).toMatchObject({
    reason: 'SPOOFED',
    source: { ip: '10.88.0.9' },
    destination: { ip: '10.88.0.3', port: 80 },
    protocol: 'tcp',
    tcpFlags: ['SYN'],
    network: 'shop',
  });
  expect(Math.abs(Date.parse(dropped[0]?.time ?? '') - Date.now())).toBeLessThan(1000);
  const begun = await rows(observer.flows(flowQuery({ include: { from: ['10.88.0.2'] } }), never));
  expect(begun.map(({ verdict, source }) => [verdict, source.port])).toEqual([
    ['FORWARDED', 4],
    ['FORWARDED', 5],
  ]);
});

test('a follower is woken by the kernel', async () => {
  const client = new AbortController();
  const flows = observer.flows(flowQuery({ follow: true }), client.signal)[Symbol.asyncIterator]();
  const next = flows.next();
  await setTimeout(20);
  const before = performance.now();
  spoof(7);
  expect((await next).value).toMatchObject({ source: { port: 7 }, verdict: 'DROPPED' });
  expect(performance.now() - before).toBeLessThan(500);
  client.abort();
  await flows.next();
});

test('a reader that has been idle goes on with the next burst', async () => {
  for (let burst = 0; burst < 3; burst++) {
    spoof(burst, 100);
    await setTimeout(60);
  }
  expect(await rows(observer.flows(flowQuery(), never))).toHaveLength(300);
});

test('events that found the ring full are counted and warned of', async () => {
  for (let burst = 0; burst < 40; burst++) spoof(burst, 1000);
  await setTimeout(50);
  const metrics = await observer.metrics();
  const lost = Number(/^vetch_flow_events_lost_total (\d+)$/m.exec(metrics)?.[1]);
  const read = Number(/^vetch_flow_events_total (\d+)$/m.exec(metrics)?.[1]);
  expect(lost).toBeGreaterThan(0);
  expect(lost + read).toBe(40_000);
  expect((await observer.statusParts()).warnings).toContain(`${lost} flow events were lost: the ring buffer was full`);
});

test('drops are shown by their reason', async () => {
  spoof(1, 5);
  const parts = await observer.statusParts();
  expect(parts.drops).toEqual({ SPOOFED: 5 });
  statusView.pick({ maps: true, drops: true, warnings: true }).parse(parts);
  expect(await observer.metrics()).toContain('vetch_dropped_bytes_total{reason="SPOOFED"} 270\n');
});

test('flows in the map are listed, translated ones once', async () => {
  const now = process.hrtime.bigint();
  const times = { created: now, lastSeen: now, protocol: 17, state: 1 };
  const asked: Tuple = { source: ['192.0.2.1', 50000], destination: ['203.0.113.5', 53], network: 0 };
  const arrived: Tuple = { ...asked, destination: ['10.88.0.2', 5353], network: 1 };
  maps.conntrack.setManyRaw([
    flowEntry(asked, times, arrived),
    flowEntry(arrived, { ...times, flags: ConntrackFlag.REPLY_HALF }, asked),
    flowEntry({ source: ['10.88.0.2', 1], destination: ['10.88.0.3', 2], network: 1 }, times),
  ]);
  expect(await rows(observer.listConntrack(conntrackFilter()))).toHaveLength(2);
  const [row] = await rows(observer.listConntrack(conntrackFilter({ port: [5353] })));
  expect(row).toMatchObject({
    protocol: 'udp',
    destination: { port: 53 },
    translated: { destination: { port: 5353 } },
  });
});

test('maps are listed and dumped', async () => {
  await setTimeout(20);
  const views = new Map((await observer.listMaps()).map((view) => [view.name, view]));
  expect(views.get('endpoints')).toMatchObject({ entries: 2, pin: join(directory, 'v1/maps/endpoints') });
  expect(views.get('conntrack')).toMatchObject({ entries: 20_000 });
  expect(views.get('config')).toMatchObject({ entries: 1, capacity: 1 });
  expect(views.get('flow_events')).toMatchObject({ entries: null, capacity: 1024 * 1024 });
  const { entries, bpftool } = await observer.dumpMap('endpoints');
  expect(await rows(entries)).toMatchObject([
    { key: { network: 1, addr: '10.88.0.3' }, value: { ifindex: 1, mac: '02:42:0a:58:00:02' } },
  ]);
  const [command = '', ...args] = bpftool.split(' ');
  expect(execFileSync(command, args, { encoding: 'utf8' })).toContain('"ifindex": 1');
  await expect(observer.dumpMap('nothing')).rejects.toThrow("no map 'nothing'");
  await expect(observer.dumpMap('flow_events')).rejects.toThrow('has no entries');
});

test('doctor looks at the host and changes nothing', async () => {
  const checks = await observer.doctor();
  for (const check of checks) doctorCheck.parse(check);
  expect(checks.find(({ check }) => check === 'pins')).toMatchObject({ ok: true });
  expect(checks.find(({ check }) => check === 'bpffs')).toMatchObject({ ok: true });
});
