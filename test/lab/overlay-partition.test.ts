import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import { withoutLength } from '../../src/model/address.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Background, slowness } from './process.ts';
import { ask } from './talk.ts';

// A host that is cut off for a minute, four times its lease, while both sides change what they can, and packets try all the
// time what policy forbids.

const programs = new URL('./programs/', import.meta.url).pathname;
const minute = 60_000;
const port = 80;
const quick = ['--timeout', '0.5'];

interface Placed {
  readonly host: Host;
  readonly container: Container;
  readonly addresses: readonly [v4: string, v6: string];
}

/** What again.py says of one address. */
interface Asked {
  readonly asked: number;
  readonly answered: number;
  readonly gap: number;
}

let cluster: ClusterLab;
let h1: Host;
let h2: Host;
let h3: Host;
const placed = new Map<string, Placed>();
const servers = new Map<string, Background>();

beforeAll(async () => {
  cluster = await ClusterLab.create();
  [h1, h2, h3] = cluster.hosts;
  const subnets = ['--subnet', '10.100.0.0/24', '--subnet', 'fd00:100::/64'];
  await h1.vetch('network', 'create', 'app', '--driver', 'overlay', ...subnets);
  for (const host of [h2, h3]) {
    await vi.waitUntil(() => host.vetch<unknown[]>('network', 'ls').then((all) => all.length === 1), patient);
  }
  await apply(h1, guard, shun, closed);
  const both = ['server', 'open', 'vault', 'shop', 'friend', 'foe', 'gone'];
  await Promise.all([
    ...[h1, h2].map(async (host) => {
      for (const app of both) await place(host, `${app}-${host.name}`, app);
    }),
    place(h2, 'turncoat', 'friend'),
    place(h3, 'friend-h3', 'friend').then(() => place(h3, 'foe-h3', 'foe')),
  ]);
  for (const name of placed.keys()) if (/^(server|open|vault|shop)-/.test(name)) await serveAt(name);
  for (const host of cluster.hosts) await vi.waitUntil(() => places(host).then((all) => all.length === 17), patient);
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const selecting = (app: string) => `podSelector: {matchLabels: {app: ${app}}}`;
const closing = (name: string, app: string, friend?: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${name}, namespace: app}
spec: {${selecting(app)}, policyTypes: [Ingress], ingress: [${friend ? `{from: [{${selecting(friend)}}]}` : ''}]}
---`;
/** Servers are closed but for friends. */
const guard = closing('guard', 'server', 'friend');
/** What is open is not so for foes: whoever is not known for one would get through. */
const shun = `
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: shun}
spec:
  tier: Admin
  priority: 10
  subject: {pods: {${selecting('open')}}}
  ingress: [{action: Deny, from: [{pods: {${selecting('foe')}}}]}]
---`;
const closed = closing('closed', 'shop');
const vault = closing('vault', 'vault');

async function apply(host: Host, ...documents: string[]): Promise<void> {
  await host.must('sh', '-c', `cat > /run/policy.yaml <<E\n${documents.join('\n')}\nE`);
  await host.vetch('policy', 'apply', '-f', '/run/policy.yaml');
}

async function place(host: Host, name: string, app: string, ...flags: string[]): Promise<Placed> {
  const [container, { addresses }] = await host.attach('app', name, '--label', `app=${app}`, ...flags);
  const [v4 = '', v6 = ''] = addresses.map(withoutLength);
  const one: Placed = { host, container, addresses: [v4, v6] };
  placed.set(name, one);
  return one;
}

function at(name: string): Placed {
  const found = placed.get(name);
  if (!found) throw new Error(`no container ${name}`);
  return found;
}

async function serveAt(name: string): Promise<void> {
  const server = at(name).container.spawn('python3', `${programs}again.py`, 'serve', String(port));
  await server.until(/ready/);
  servers.set(name, server);
}

/** Asks, from now on, what is given back when it is stopped. */
function askFrom(name: string, ...addresses: string[]): Background {
  return at(name).container.spawn('python3', `${programs}again.py`, 'ask', String(port), ...addresses);
}

async function said<T>(process: Background): Promise<Record<string, T>> {
  await process.stop('SIGTERM');
  return JSON.parse(process.output.replace('ready', '').trim()) as Record<string, T>;
}

const endpoints = (host: Host) => host.vetch<EndpointView[]>('endpoint', 'ls');
const places = async (host: Host) => (await endpoints(host)).map(({ name, node }) => `${name}@${node}`).sort();
const away = async (host: Host) => (await host.status()).warnings.filter((line) => line.includes('is away for'));

/** Which addresses packets find on a host. */
async function mapped(host: Host): Promise<string[]> {
  const { entries } = await host.vetch<{ entries: { key: { addr: string } }[] }>('maps', 'dump', 'endpoints');
  return [...new Set(entries.map(({ key }) => key.addr))].sort();
}

const reach = async (from: string, to: string, family: 0 | 1 = 0) =>
  (await ask(at(from).container, 'udp', at(to).addresses[family], port, ...quick)).ok;

/** Both families of what foes may never reach. */
const forbidden = () => ['server-h1', 'server-h2', 'open-h1', 'open-h2'].flatMap((name) => at(name).addresses);

async function cutOff(asking: Map<string, Background>): Promise<void> {
  const ofIsland = [...placed.values()].filter(({ host }) => host === h2).flatMap(({ addresses }) => addresses);
  const start = Date.now();
  await expect.poll(() => away(h2), patient).toHaveLength(1);
  // What the island can change it does at once, and that holds there.
  for (const name of ['late-1', 'late-2', 'late-3']) await place(h2, `${name}-h2`, 'late');
  await place(h2, 'foe-late', 'foe', '--label', 'since=the-cut');
  asking.set('foe-late', askFrom('foe-late', ...forbidden()));
  await h2.vetch('endpoint', 'label', 'turncoat', 'app=foe');
  asking.set('turncoat', askFrom('turncoat', ...forbidden()));
  await h2.vetch('endpoint', 'detach', 'gone-h2');
  await expect(apply(h2, closing('island', 'open'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(h2.vetch('policy', 'delete', '-n', 'app', 'guard')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  // So does the mainland, with what the island learns of later.
  for (const [i, host] of [h1, h3, h1].entries()) await place(host, `late-${i}-${host.name}`, 'late');
  await h1.vetch('endpoint', 'detach', 'gone-h1');
  await apply(h3, vault);
  await h1.vetch('policy', 'delete', '-n', 'app', 'closed');
  await expect.poll(() => reach('friend-h1', 'vault-h1'), patient).toBe(false);
  await expect.poll(() => reach('foe-h3', 'shop-h1'), patient).toBe(true);
  // Its endpoints leave the mainland with its lease, and its own packets go on.
  for (const host of [h1, h3]) {
    await expect.poll(() => places(host), patient).not.toContainEqual(expect.stringMatching(/@h2$/));
    expect((await mapped(host)).filter((address) => ofIsland.includes(address))).toEqual([]);
  }
  expect([await reach('friend-h2', 'vault-h2', 1), await reach('foe-h2', 'shop-h2')]).toEqual([true, false]);
  await sleep(Math.max(0, start + minute - Date.now()));
}

test('cut off for a minute and back: no address twice, no endpoint lost, and nothing forbidden ever gets through', {
  timeout: 3 * minute * slowness,
}, async () => {
  const asking = new Map<string, Background>();
  for (const foe of ['foe-h1', 'foe-h2', 'foe-h3']) asking.set(foe, askFrom(foe, ...forbidden()));
  const inside = askFrom('friend-h2', ...at('server-h2').addresses);
  const mainland = askFrom('friend-h3', ...at('server-h1').addresses);
  const across = askFrom('friend-h1', ...at('server-h2').addresses);
  await cluster.cable(h2, false);
  await cutOff(asking).finally(() => cluster.cable(h2, true));

  // Every host has every endpoint, in its lists and before its packets, each with addresses of its own.
  const names = [...placed]
    .filter(([name]) => !name.startsWith('gone-'))
    .map(([name, { host }]) => `${name}@${host.name}`);
  for (const host of cluster.hosts) {
    await expect.poll(() => places(host), patient).toEqual(names.sort());
    const all = (await endpoints(host)).flatMap(({ addresses }) => addresses.map(withoutLength)).sort();
    expect(new Set(all).size).toBe(2 * names.length);
    await expect.poll(async () => (await mapped(host)).filter((one) => all.includes(one)), patient).toEqual(all);
    expect((await host.status()).warnings, host.name).toEqual([]);
  }
  const held = await cluster.servers.etcdctl('get', '--prefix', '--print-value-only', '/vetch/lab/addresses/');
  const holders = held.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Held]));
  for (const { name, id, node, addresses } of await endpoints(h3)) {
    for (const address of addresses.map(withoutLength)) {
      expect(holders, name).toContainEqual(expect.objectContaining({ address, node, endpoint: id }));
    }
  }

  // Policy is as it was applied, for whoever is anywhere.
  for (const [from, to, is] of [
    ...['friend-h1', 'friend-h2', 'friend-h3'].flatMap((from) => [
      ...['server-h1', 'server-h2', 'open-h1', 'open-h2', 'shop-h1', 'shop-h2'].map((to) => [from, to, true] as const),
      ...['vault-h1', 'vault-h2'].map((to) => [from, to, false] as const),
    ]),
    ...['foe-h1', 'foe-h2', 'foe-late', 'turncoat'].flatMap((from) => [
      ...['shop-h1', 'shop-h2'].map((to) => [from, to, true] as const),
      ...['server-h1', 'server-h2', 'open-h1', 'open-h2', 'vault-h1', 'vault-h2'].map(
        (to) => [from, to, false] as const,
      ),
    ]),
  ] as const) {
    await expect.poll(() => reach(from, to), { ...patient, message: `${from} to ${to}` }).toBe(is);
  }

  for (const [name, process] of asking) {
    const results = await said<Asked>(process);
    for (const [address, { asked, answered }] of Object.entries(results)) {
      expect([asked > 100, answered], `${name} to ${address}`).toEqual([true, 0]);
    }
  }
  for (const process of [inside, mainland]) {
    for (const { gap } of Object.values(await said<Asked>(process))) expect(gap).toBeLessThan(slowness);
  }
  for (const { gap } of Object.values(await said<Asked>(across))) expect(gap).toBeGreaterThan(50);
  const foes = [...asking.keys()].flatMap((name) => at(name).addresses);
  for (const name of ['server-h1', 'server-h2', 'open-h1', 'open-h2']) {
    const process = servers.get(name);
    if (!process) throw new Error(`nothing serves at ${name}`);
    const through = await said<number>(process);
    expect(
      Object.keys(through).filter((address) => foes.includes(address)),
      name,
    ).toEqual([]);
  }
});

/** Who has an address, as etcd has it. */
interface Held {
  readonly address: string;
  readonly node: string;
  readonly endpoint: string;
}
