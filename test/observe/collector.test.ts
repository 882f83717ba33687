import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BpfObject } from '../../src/loader/object.ts';
import { PinTree } from '../../src/loader/pin.ts';
import { ConntrackFlag, ConntrackState, LearnedFlag, Party } from '../../src/maps/generated/abi.ts';
import { type Maps, openMaps } from '../../src/maps/open.ts';
import { formatAddress, parseAddress } from '../../src/model/address.ts';
import { ConntrackCollect } from '../../src/observe/conntrack/kernel-program.ts';
import { conntrackFilter, type FakeEntry, flowEntry, type Tuple } from '../../src/observe/conntrack/testing.ts';
import { plainNames } from '../../src/observe/flows/testing.ts';

const collectObject = fileURLToPath(new URL('../../bpf/build/collect.bpf.o', import.meta.url));

let owned: DisposableStack;
let maps: Maps;
let collect: ConntrackCollect;

const seconds = 1_000_000_000n;

// The flows here are up to 40 s old: a machine that has just started has no such time behind it.
beforeAll(async () => {
  while (process.hrtime.bigint() < 45n * seconds) await setTimeout(1000);
});

beforeEach(() => {
  owned = new DisposableStack();
  const path = mkdtempSync(join(tmpdir(), 'vt-observe-bpffs-'));
  owned.defer(() => rmdirSync(path));
  execFileSync('mount', ['-t', 'bpf', 'bpf', path]);
  owned.defer(() => execFileSync('umount', [path]));
  const pins = new PinTree(path);
  pins.create();
  const object = owned.use(BpfObject.load(collectObject, { pinMaps: pins.maps }));
  maps = owned.use(openMaps(pins.maps));
  const config = maps.config.get(0);
  if (!config) throw new Error('an array has all its entries');
  const timeouts = { timeoutNew: 25, timeoutUdp: 30, timeoutIcmp: 25, timeoutEstablished: 35, timeoutRefused: 25 };
  maps.config.set(0, { ...config, ...timeouts, timeoutClosing: 20, timeoutClosed: 10 });
  collect = new ConntrackCollect(object.program('conntrack_collect'), maps);
});

afterEach(() => owned.dispose());

/** A flow whose last packet was so many seconds ago. */
function idle(age: bigint, tuple: Tuple, change: Parameters<typeof flowEntry>[1] = {}, other?: Tuple): FakeEntry {
  const lastSeen = process.hrtime.bigint() - age * seconds;
  return flowEntry(tuple, { created: lastSeen, lastSeen, ...change }, other);
}

const local = (port: number, network = 1): Tuple => ({
  source: ['10.88.0.2', port],
  destination: ['10.88.0.3', 80],
  network,
});
const asked: Tuple = { source: ['192.0.2.1', 50000], destination: ['203.0.113.5', 8080], network: 0 };
const arrived: Tuple = { ...asked, destination: ['10.88.0.2', 80], network: 1 };

const pair = (age: bigint): FakeEntry[] => [
  idle(age, asked, { owner: 1 }, arrived),
  idle(age, arrived, { owner: 1, flags: ConntrackFlag.REPLY_HALF }, asked),
];

test('what has expired is deleted, what has not stays', async () => {
  maps.conntrack.setManyRaw([
    idle(40n, local(1), { state: ConntrackState.NEW }),
    idle(5n, local(2), { state: ConntrackState.NEW }),
    idle(40n, local(3), { state: ConntrackState.ESTABLISHED }),
    idle(5n, local(4), { state: ConntrackState.ESTABLISHED }),
    idle(40n, local(5), { state: ConntrackState.ESTABLISHED, protocol: 17 }),
  ]);
  expect(await collect.expire()).toEqual({ live: 2, deleted: 3 });
  expect([...maps.conntrack.entries()].map(([{ portA }]) => portA).sort()).toEqual([2, 4]);
});

test('both halves of a translated flow go together', async () => {
  maps.conntrack.setManyRaw(pair(40n));
  await collect.expire();
  expect(maps.conntrack.count()).toBe(0);
});

test('the quotas are set to what is left', async () => {
  maps.quotas.set(1, { epoch: 0n, floodRefilled: 0n, floodTokens: 0, flows: 900, snatPorts: 30 });
  maps.quotas.set(2, { epoch: 0n, floodRefilled: 0n, floodTokens: 0, flows: 5, snatPorts: 0 });
  maps.conntrack.setManyRaw([idle(1n, local(1), { owner: 1 }), idle(1n, local(2), { owner: 1 }), ...pair(1n)]);
  await collect.expire();
  expect(maps.quotas.get(1)).toMatchObject({ flows: 3, snatPorts: 0 });
  expect(maps.quotas.get(2)).toMatchObject({ flows: 0, snatPorts: 0 });
});

test('an endpoint that is gone leaves no flow behind, and takes none of another network along', async () => {
  maps.conntrack.setManyRaw([idle(1n, local(1)), idle(1n, local(1, 2)), ...pair(1n)]);
  await collect.forget(1, [parseAddress('10.88.0.2')]);
  expect([...maps.conntrack.entries()].map(([{ network }]) => network)).toEqual([2]);
});

test('a flush by endpoint, protocol and network is done by the kernel', async () => {
  maps.conntrack.setManyRaw([
    idle(1n, local(1)),
    idle(1n, local(2), { protocol: 17 }),
    idle(1n, local(3, 2), { protocol: 17 }),
  ]);
  const filter = conntrackFilter({ endpoint: ['10.88.0.3'], protocol: ['udp'], network: ['1'] });
  expect(await collect.flush(filter, plainNames)).toBe(1);
  expect(maps.conntrack.count()).toBe(2);
  await collect.flush(conntrackFilter(), plainNames);
  expect(maps.conntrack.count()).toBe(0);
});

test('a flush by port, direction or state deletes exactly what matches', async () => {
  maps.conntrack.setManyRaw([idle(1n, local(1)), idle(1n, local(80)), ...pair(1n)]);
  expect(await collect.flush(conntrackFilter({ port: [8080] }), plainNames)).toBe(1);
  expect(maps.conntrack.count()).toBe(2);
  expect(await collect.flush(conntrackFilter({ from: ['10.88.0.3'] }), plainNames)).toBe(0);
  expect(await collect.flush(conntrackFilter({ from: ['10.88.0.0/24'], state: ['ESTABLISHED'] }), plainNames)).toBe(2);
});

test('expired addresses of domain names are told while flows that their endpoint began use them, and only those', async () => {
  const learn = (address: string, flags: number, endpoint = 1) => {
    const half = { identity: 300, flags };
    maps.learned.set({ endpoint, addr: parseAddress(address) }, { half: [half, half] });
  };
  const toWorld = (destination: string, change: Parameters<typeof flowEntry>[1] = {}) =>
    idle(
      1n,
      { source: ['10.88.0.2', 40_000], destination: [destination, 443], network: 1 },
      { owner: 1, destinationParty: Party.WORLD, ...change },
    );
  for (const last of [1, 2, 4, 5, 6]) learn(`192.0.2.${last}`, LearnedFlag.EXPIRED);
  learn('192.0.2.3', 0);
  learn('192.0.2.7', LearnedFlag.EXPIRED, 2);
  learn('2001:db8::7', LearnedFlag.EXPIRED);
  maps.conntrack.setManyRaw([
    toWorld('192.0.2.1'),
    toWorld('192.0.2.3'),
    // Refused, expired, of the host's, and of another endpoint
    toWorld('192.0.2.4', { owner: 0, state: ConntrackState.REFUSED }),
    idle(40n, { source: ['10.88.0.2', 40_000], destination: ['192.0.2.5', 443], network: 1 }, { owner: 1 }),
    toWorld('192.0.2.6', { destinationParty: Party.HOST }),
    toWorld('192.0.2.7'),
    idle(
      1n,
      { source: ['fd00:88::2', 40_000], destination: ['2001:db8::7', 443], network: 1 },
      { owner: 1, destinationParty: Party.WORLD },
    ),
  ]);
  const { inUse, live } = await collect.expireAndFindUse();
  expect(live).toBe(6);
  expect(inUse.map(({ endpoint, addr }) => `${endpoint} ${formatAddress(addr)}`).sort()).toEqual([
    '1 192.0.2.1',
    '1 2001:db8::7',
  ]);
  await collect.flush(conntrackFilter(), plainNames);
  expect((await collect.expireAndFindUse()).inUse).toEqual([]);
});

test('a walk over a full map holds the event loop up for a moment only', async () => {
  const flows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) =>
      idle(40n, { ...local((from + i) & 0xffff), destination: [`10.89.${(from + i) >> 16}.3`, 80] }),
    );
  for (let at = 0; at < 200_000; at += 20_000) maps.conntrack.setManyRaw(flows(at, at + 20_000));
  const before = performance.now();
  const { deleted } = await collect.expire();
  const took = performance.now() - before;
  expect(deleted).toBeGreaterThan(100_000);
  // The kernel deletes each; a second would mean that the walk is quadratic.
  expect(took).toBeLessThan(1000);
});
