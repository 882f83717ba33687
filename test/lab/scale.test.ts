import { afterAll, beforeAll, expect, test } from 'vitest';
import { dump } from '../reconcile/kernel-state.ts';
import { Api } from './api.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { slowness } from './process.ts';
import {
  attachAll,
  cycle,
  endpointDevices,
  heldBy,
  makeSandboxes,
  publishMany,
  timeStart,
  timesText,
} from './scale.ts';
import { ask, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

// A host with a thousand endpoints. Times are printed, and never judged: the machine is others' too.

const count = 1000;
const minutes = 60_000 * slowness;

let lab: Lab;
let host: Host;
let api: Api;
let sandboxes: string[];
let endpoints: AttachedEndpoint[];

function say(what: string, text: string): void {
  process.stdout.write(`${what}: ${text}\n`);
}

/** Entries of every map that the control plane writes. */
async function controlEntries(): Promise<Record<string, number>> {
  const maps = await api.call<{ name: string; entries: number; writer: string }[]>('GET', '/maps');
  return Object.fromEntries(
    maps.filter(({ writer }) => writer === 'control').map(({ name, entries }) => [name, entries]),
  );
}

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host();
  api = new Api(host);
  await api.call('POST', '/networks', { name: 'web', subnets: ['10.88.0.0/16', 'fd00:88::/64'] });
  sandboxes = await makeSandboxes(host, 's', count + 2);
}, 2 * minutes);
afterAll(async () => {
  api?.[Symbol.dispose]();
  await lab?.[Symbol.asyncDispose]();
}, 2 * minutes);

test('a thousand endpoints are attached, each with addresses and a device of its own', {
  timeout: 2 * minutes,
}, async () => {
  const { endpoints: attached, times } = await attachAll(api, 'web', sandboxes.slice(0, count));
  endpoints = attached;
  say('attach, from none to a thousand', timesText(times));
  say('attach, the last hundred', timesText(times.slice(-100)));
  expect(new Set(endpoints.flatMap(({ addresses }) => addresses)).size).toBe(2 * count);
  expect(new Set(endpoints.map(({ mac }) => mac)).size).toBe(count);
  expect(await endpointDevices(host)).toEqual(endpoints.map(({ hostIfname }) => hostIfname).sort());
  expect(await controlEntries()).toMatchObject({ interfaces: count, members: count });
});

test('the first and the last of them reach each other', async () => {
  const [address = ''] = endpoints.at(-1)?.addresses ?? [];
  const from = `ip netns exec s0 ping -n -c 1 -W 2 ${address.split('/')[0]}`;
  expect((await host.exec('sh', '-c', from)).status).toBe(0);
});

test('two hundred ports are published by one request, and are gone by another', async () => {
  const before = await controlEntries();
  const times: number[] = [];
  for (let round = 0; round < 10; round++) {
    times.push(await publishMany(api, 's0', 20_000, 200));
    if (round === 0) {
      expect(await api.call('GET', '/ports')).toHaveLength(400);
      expect(await controlEntries()).toMatchObject({ published: 400, published_lo: 400, bound_ports: 400 });
    }
    await api.call('DELETE', `/endpoints/s0/ports?spec=${encodeURIComponent('20000-20199:20000-20199')}`);
  }
  say('publish 200 ports of both families', timesText(times));
  expect(await controlEntries()).toEqual(before);
});

test('a removed endpoint leaves no flow and no use of a quota to whoever gets its address', async () => {
  const netns = sandboxes[count] ?? '';
  const { addresses } = await api.call<AttachedEndpoint>('POST', '/endpoints', {
    ...{ network: 'web', netns, name: 'talker', publish: ['8080:80'] },
  });
  const [address = ''] = addresses.map((cidr) => cidr.split('/')[0]);
  const outside = lab.client();
  await serve(outside, 'tcp', 7000);
  const talk = `ip netns exec s${count} python3 -c 'import socket, sys
s = socket.create_connection((sys.argv[1], 7000)); s.sendall(b"x"); s.recv(1)' ${outside.address4}`;
  await host.must('sh', '-c', talk);
  expect((await ask(outside, 'tcp', host.address4, 8080)).error).toBe('ECONNREFUSED');
  const flows = () => api.call<unknown[]>('GET', `/conntrack?endpoint=${address}`);
  expect((await flows()).length).toBeGreaterThan(0);
  await api.call('DELETE', '/endpoints/talker');
  expect(await flows()).toEqual([]);
  const inUse = (await dump(host, 'quotas')).filter(({ key, value }) => {
    // The others' numbers come before.
    return Number(key) > count && (value as { flows: number }).flows > 0;
  });
  expect(inUse).toEqual([]);
});

test('a thousand attaches and detaches leave nothing', { timeout: 3 * minutes }, async () => {
  const netns = sandboxes[count + 1] ?? '';
  const { pid } = host.daemon;
  await cycle(api, 'web', netns, 100);
  const [entries, devices, held] = [await controlEntries(), await endpointDevices(host), heldBy(pid)];
  const attach: number[] = [];
  const detach: number[] = [];
  const addresses = new Set<string>();
  const memory: number[] = [];
  for (let round = 0; round < 10; round++) {
    const hundred = await cycle(api, 'web', netns, 100);
    attach.push(...hundred.attach);
    detach.push(...hundred.detach);
    for (const address of hundred.addresses) addresses.add(address);
    memory.push(heldBy(pid).memory / 2 ** 20);
  }
  const after = heldBy(pid);
  say('attach, with a thousand present', timesText(attach));
  say('detach, with a thousand present', timesText(detach));
  say('megabytes of memory after each hundred', memory.map((megabytes) => megabytes.toFixed(0)).join(' '));
  expect(addresses.size, 'the address that was let go is the next to be handed out').toBe(1);
  expect(await controlEntries()).toEqual(entries);
  expect(await endpointDevices(host)).toEqual(devices);
  expect(await api.call('GET', '/endpoints')).toHaveLength(count);
  expect(after.descriptors).toBe(held.descriptors);
  expect(after.threads).toBeLessThanOrEqual(held.threads + 1);
  // Garbage comes and goes: its lowest levels tell. A thousand leaked endpoints would be more.
  expect(Math.min(...memory.slice(5)) - Math.min(...memory.slice(0, 5))).toBeLessThan(48);
});

test('a start finds a thousand endpoints in place, and makes them anew where there are none', {
  timeout: 2 * minutes,
}, async () => {
  const [entries, devices] = [await controlEntries(), await endpointDevices(host)];
  const links = () => host.must('ip', '-o', 'link');
  const before = await links();
  api[Symbol.dispose]();
  await host.stopDaemon();
  const right = await timeStart(host);
  say('start, the kernel right', `${right.wall.toFixed(2)} s, ${right.own.toFixed(2)} s of them its own`);
  api = new Api(host);
  expect(await links()).toBe(before);
  expect(await controlEntries()).toEqual(entries);
  api[Symbol.dispose]();
  await host.stopDaemon();

  const begun = performance.now();
  await host.uninstall();
  say('uninstall', `${((performance.now() - begun) / 1000).toFixed(2)} s`);
  expect(await endpointDevices(host)).toEqual([]);
  const empty = await timeStart(host);
  say('start, the kernel empty', `${empty.wall.toFixed(2)} s, ${empty.own.toFixed(2)} s of them its own`);
  api = new Api(host);
  expect(await endpointDevices(host)).toEqual(devices);
  expect(await controlEntries()).toEqual(entries);
  const [address = ''] = endpoints.at(-1)?.addresses ?? [];
  expect((await host.exec('sh', '-c', `ip netns exec s0 ping -n -c 1 -W 2 ${address.split('/')[0]}`)).status).toBe(0);
});
