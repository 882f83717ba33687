import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Counter } from '../../src/maps/generated/abi.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Host } from './host.ts';
import type { Client } from './lab.ts';
import { ask, serve } from './talk.ts';

// Of what a host hands on to one that answers itself all but a flow's first packets leave before the stack: two hosts, a
// container on the first, on a network whose ports are answered so.

const programs = new URL('./programs/', import.meta.url).pathname;
const bulk = '3000000';

let cluster: ClusterLab;
let outside: Client;

beforeAll(async () => {
  cluster = await ClusterLab.create(['h1'], { members: 1 });
  const [h1, h2] = cluster.hosts;
  outside = cluster.lab.client('outside');
  // A veth takes what XDP sends into its peer if it has GRO.
  const cables = JSON.parse(await cluster.lab.router.must('ip', '-j', 'link', 'show', 'type', 'veth'));
  for (const { ifname } of cables as { ifname: string }[]) {
    await cluster.lab.router.must('ethtool', '-K', ifname, 'gro', 'on');
  }
  await cluster.start('h2');
  const direct = ['--opt', 'vetch.publish=cluster', '--opt', 'vetch.publish.return=direct'];
  await h1.vetch('network', 'create', 'app', '--driver', 'overlay', '--subnet', '10.100.0.0/24', ...direct);
  await vi.waitUntil(() => h2.vetch<unknown[]>('network', 'ls').then((all) => all.length === 1), patient);
  const publish = ['8080:80', '8080:80/udp', '8091:91'].flatMap((spec) => ['--publish', spec]);
  const [shop] = await h1.attach('app', 'shop', '--label', 'app=shop', ...publish);
  await serve(shop, 'tcp', 80);
  await serve(shop, 'udp', 80);
  await shop.spawn('python3', `${programs}bulk.py`, 'serve', '91').until(/ready/);
  await vi.waitUntil(async () => (await ask(outside, 'tcp', h2.address4, 8080, '--timeout', '0.7')).ok, patient);
  // Programs come and go with the pass that follows a network: within half a minute.
  await vi.waitUntil(async () => (await h2.must('bpftool', 'net')).includes('xdp_uplink'), {
    ...patient,
    timeout: 45_000,
  });
}, 150_000);
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** How many packets a host has sent on before the stack. */
async function sentOn(host: Host): Promise<number> {
  const text = await host.must('bpftool', '--json', 'map', 'dump', 'pinned', `${host.bpffs}/v1/maps/counters`);
  const entries = JSON.parse(text) as { formatted: { key: number; values: { value: number }[] } }[];
  const entry = entries.find(({ formatted }) => formatted.key === Counter.STRAIGHT_BY_XDP);
  return entry?.formatted.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
}

const send = async (to: Host) =>
  (await outside.must('python3', `${programs}bulk.py`, 'send', to.address4, '8091', bulk)).trim();

test('a stream to the host that was asked goes on before its stack, and is answered under its address', async () => {
  const [, h2] = cluster.hosts;
  const before = await sentOn(h2);
  expect(await send(h2)).toBe(bulk);
  // Of 1,400 bytes each, and the handshake.
  expect((await sentOn(h2)) - before).toBeGreaterThan(1500);
  const { reply, peer } = await ask(outside, 'tcp', h2.address4, 8080);
  expect([reply?.startsWith(`shop peer=${outside.address4},`), peer]).toEqual([true, [h2.address4, 8080]]);
});

test('it does so while the daemon is dead, and after it has come back', async () => {
  const [, h2] = cluster.hosts;
  for (const change of [() => h2.stopDaemon('SIGKILL'), () => cluster.start('h2')]) {
    await change();
    const before = await sentOn(h2);
    expect(await send(h2)).toBe(bulk);
    expect((await sentOn(h2)) - before).toBeGreaterThan(1500);
  }
});

test('the programs that do so go with the network', async () => {
  const [h1, h2] = cluster.hosts;
  await h1.vetch('endpoint', 'detach', 'app/shop');
  await h1.vetch('network', 'rm', 'app');
  await vi.waitUntil(async () => !(await h2.must('bpftool', 'net')).includes('xdp_uplink'), {
    ...patient,
    timeout: 45_000,
  });
});
