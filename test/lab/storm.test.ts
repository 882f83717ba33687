import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { controlMaps, dump } from '../reconcile/kernel-state.ts';
import { Api, ApiFailure } from './api.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { slowness } from './process.ts';
import { endpointDevices, makeSandboxes } from './scale.ts';
import type { AttachedEndpoint } from './vetch.ts';

// Many at once, and a daemon that is killed in the middle of it.

const timeout = 120_000 * slowness;

const nameOf = (netns: string) => netns.slice(netns.lastIndexOf('/') + 1);

async function setUp(host: Host, api: Api, sandboxes: number): Promise<string[]> {
  await api.call('POST', '/networks', { name: 'web', subnets: ['10.88.0.0/24', 'fd00:88::/64'] });
  return makeSandboxes(host, 's', sandboxes);
}

function attach(api: Api, netns: string, more: object = {}): Promise<AttachedEndpoint> {
  return api.call<AttachedEndpoint>('POST', '/endpoints', { network: 'web', netns, name: nameOf(netns), ...more });
}

/** What the daemon says, what the host has and what the sandboxes have is the same, and no address is there twice. */
async function expectConsistent(host: Host, api: Api, sandboxes: readonly string[]): Promise<AttachedEndpoint[]> {
  const endpoints = await api.call<AttachedEndpoint[]>('GET', '/endpoints');
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses);
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(await endpointDevices(host)).toEqual(endpoints.map(({ hostIfname }) => hostIfname).sort());
  expect((await dump(host, 'members')).length).toBe(endpoints.length);
  expect((await dump(host, 'interfaces')).length).toBe(endpoints.length);
  const inside = await host.must(
    ...['sh', '-c', 'for netns; do ip netns exec $netns ip -o -4 address show dev eth0 2>/dev/null; done; true'],
    ...['sh', ...sandboxes.map(nameOf)],
  );
  const found = [...inside.matchAll(/inet (\S+)/g)].map(([, cidr]) => cidr);
  expect(found.sort()).toEqual(addresses.filter((cidr) => !cidr.includes(':')).sort());
  return endpoints;
}

test('fifty attaches and fifty detaches at once do not meet', { timeout }, async () => {
  await using lab = await Lab.create();
  const host = lab.host();
  using api = new Api(host, 100);
  const sandboxes = await setUp(host, api, 100);
  const [first, second] = [sandboxes.slice(0, 50), sandboxes.slice(50)];
  const attached = await Promise.all(first.map((netns) => attach(api, netns)));
  expect(new Set(attached.flatMap(({ addresses }) => addresses)).size).toBe(100);
  await expectConsistent(host, api, sandboxes);
  const begun = await Promise.all([
    ...second.map((netns) => attach(api, netns)),
    ...attached.map(({ id }) => api.call('DELETE', `/endpoints/${id}`)),
  ]);
  expect(begun).toHaveLength(100);
  const left = await expectConsistent(host, api, sandboxes);
  expect(left.map(({ name }) => name).sort()).toEqual(second.map(nameOf).sort());
  const maps = await controlMaps(host);
  await host.stopDaemon();
  await host.start();
  expect(await controlMaps(host)).toBe(maps);
});

test('of those who publish the same port, ask for the same address or the same name at once, one has it', {
  timeout,
}, async () => {
  await using lab = await Lab.create();
  const host = lab.host();
  using api = new Api(host, 20);
  const sandboxes = await setUp(host, api, 30);
  const [publishers, twins, namesakes] = [sandboxes.slice(0, 10), sandboxes.slice(10, 20), sandboxes.slice(20)];
  await Promise.all(publishers.map((netns) => attach(api, netns)));
  const outcome = async (attempts: Promise<unknown>[], code: string) => {
    const results = await Promise.allSettled(attempts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code });
    }
  };
  await outcome(
    publishers.map((netns) => api.call('POST', `/endpoints/${nameOf(netns)}/ports`, { spec: '8080:80' })),
    'PORT_ALLOCATED',
  );
  expect(await api.call('GET', '/ports')).toHaveLength(2);
  await outcome(
    twins.map((netns) => attach(api, netns, { addresses: ['10.88.0.200'] })),
    'ADDRESS_TAKEN',
  );
  await outcome(
    namesakes.map((netns) => attach(api, netns, { name: 'same' })),
    'ALREADY_EXISTS',
  );
  expect(await expectConsistent(host, api, sandboxes)).toHaveLength(12);
  const wildcards = (await dump(host, 'published')).map(({ key }) => JSON.stringify(key));
  expect(new Set(wildcards).size).toBe(2);
});

test('a daemon that is killed in a storm of attaches comes back with what it had promised', { timeout }, async () => {
  await using lab = await Lab.create();
  const host = lab.host();
  const api = new Api(host, 20);
  const sandboxes = await setUp(host, api, 200);
  api[Symbol.dispose]();
  const waiting = [...sandboxes];
  const promised = new Map<string, AttachedEndpoint>();
  for (let round = 0; round < 3; round++) {
    using calls = new Api(host, 20);
    let storm = true;
    const workers = Array.from({ length: 20 }, async () => {
      for (let netns = waiting.shift(); netns !== undefined && storm; netns = waiting.shift()) {
        try {
          promised.set(nameOf(netns), await attach(calls, netns));
        } catch (error) {
          // Killed: it may be there or not, and may be asked for again. Anything else is a failure.
          if (error instanceof ApiFailure) throw error;
          return;
        }
      }
    });
    await sleep(100 + 100 * round);
    await host.stopDaemon('SIGKILL');
    storm = false;
    await Promise.all(workers);
    await host.start();
    using after = new Api(host);
    const endpoints = await expectConsistent(host, after, sandboxes);
    const names = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]));
    for (const [name, endpoint] of promised) expect(names.get(name)).toEqual(endpoint);
    const status = await after.call<{ drift: number; warnings: string[] }>('GET', '/status');
    expect(status).toMatchObject({ drift: 0, warnings: [] });
  }
  expect(promised.size).toBeGreaterThan(0);
  using after = new Api(host);
  const before = await expectConsistent(host, after, sandboxes);
  const there = new Set(before.map(({ name }) => name));
  const rest = sandboxes.filter((netns) => !there.has(nameOf(netns)));
  const added = await Promise.all(rest.slice(0, 20).map((netns) => attach(after, netns)));
  const [first] = [...promised.values()];
  await host.must('ip', 'link', 'delete', first?.hostIfname ?? '');
  await expect
    .poll(async () => (await after.call<{ drift: number }>('GET', '/status')).drift, { timeout: 20_000 * slowness })
    .toBeGreaterThan(0);
  expect(await expectConsistent(host, after, sandboxes)).toHaveLength(before.length + added.length);
});
