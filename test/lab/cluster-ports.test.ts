import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import type { Client } from './lab.ts';
import type { Machine } from './machine.ts';
import { ask, serve, type Transport } from './talk.ts';

// Ports of a container that every host of the cluster answers at: three hosts, a container on the first, clients outside.

const programs = new URL('./programs/', import.meta.url).pathname;
/** More than one TCP window of the smallest packets, less than a slow machine minds. */
const bulk = 3_000_000;
const quick = ['--timeout', '0.7'];
const families = ['address4', 'address6'] as const;
const scope = ['--opt', 'vetch.publish=cluster'];

let cluster: ClusterLab;
let outside: Client;
let far: Client;
let shop: Container;
let addresses: readonly string[];
let neighbour: Container;

beforeAll(async () => {
  cluster = await ClusterLab.create(undefined, { remotes: ['far'] });
  const [h1, h2, h3] = cluster.hosts;
  [outside, far] = [cluster.lab.client('outside'), cluster.lab.client('far')];
  await h1.vetch('network', 'create', 'app', '--driver', 'overlay', '--subnet', '10.100.0.0/24', '--ipv6');
  for (const host of [h2, h3]) {
    await vi.waitUntil(() => host.vetch<unknown[]>('network', 'ls').then((all) => all.length === 1), patient);
  }
  const specs = ['8080:80', '8080:80/udp', '8090:90', '8091:91', '8099:99/udp'];
  const publish = specs.flatMap((spec) => ['--publish', spec]);
  [shop, { addresses }] = await h1.attach('app', 'shop', '--label', 'app=shop', ...scope, ...publish);
  [neighbour] = await h2.attach('app', 'neighbour');
  await serve(shop, 'tcp', 80);
  await serve(shop, 'udp', 80);
  await spawnReady(shop, 'bulk.py', 'pour', '90', String(bulk));
  await spawnReady(shop, 'bulk.py', 'serve', '91');
  for (const host of cluster.hosts) await vi.waitUntil(() => answers(host), patient);
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

async function spawnReady(machine: Machine, program: string, ...args: string[]): Promise<void> {
  await machine.spawn('python3', `${programs}${program}`, ...args).until(/ready/);
}

async function python(machine: Machine, program: string, ...args: string[]): Promise<string> {
  return (await machine.must('python3', `${programs}${program}`, ...args)).trim();
}

async function answers(host: Host, port = 8080, transport: Transport = 'tcp', from: Client = outside) {
  return (await ask(from, transport, host.address4, port, ...quick)).ok;
}

const warnings = async (host: Host) => (await host.status()).warnings.join('\n');
const flowsAt = (host: Host) => host.vetch<unknown[]>('conntrack', 'ls', '--port', '8080');

test('every host answers over both families, and the container sees who asks', async () => {
  for (const host of cluster.hosts) {
    for (const client of [outside, far]) {
      for (const family of families) {
        for (const transport of ['tcp', 'udp'] as const) {
          const what = `${client.name} asks ${host.name} by ${transport} over ${family}`;
          const { reply, peer, replyFrom } = await ask(client, transport, host[family], 8080);
          expect(reply, what).toMatch(new RegExp(`^shop peer=${client[family]},`));
          expect(peer, what).toEqual([host[family], 8080]);
          if (transport === 'udp') expect(replyFrom, what).toEqual([host[family], 8080]);
        }
      }
    }
  }
});

test('nothing else of the container is reached so', async () => {
  for (const host of cluster.hosts) {
    expect((await ask(outside, 'tcp', host.address4, 80, ...quick)).ok).toBe(false);
    expect((await ask(outside, 'tcp', host.address4, 8099, ...quick)).error).toBe('ECONNREFUSED');
  }
});

test('bulk goes both ways by each host, also where a router on the way takes less', async () => {
  await cluster.lab.router.ip(
    'route replace 203.0.113.0/24 dev world src 203.0.113.1 mtu lock 1300',
    'route del 2001:db8:3::/64 dev world proto kernel',
    'route add 2001:db8:3::/64 dev world metric 128 mtu lock 1300',
  );
  for (const host of cluster.hosts) {
    for (const client of [outside, far]) {
      for (const family of families) {
        const what = `${client.name} and ${host.name} over ${family}`;
        expect(await python(client, 'bulk.py', 'send', host[family], '8091', String(bulk)), what).toBe(String(bulk));
        expect(await python(client, 'bulk.py', 'fetch', host[family], '8090'), what).toBe(String(bulk));
      }
    }
  }
});

test('a client learns how large its packets may be, and datagrams in fragments arrive whole', async () => {
  const [, h2] = cluster.hosts;
  for (const family of families) {
    await outside.must('sh', '-ec', 'ip route flush cache; ip -6 route flush cache');
    const size = String(1500 - (family === 'address4' ? 28 : 48));
    await ask(outside, 'udp', h2[family], 8080, '--size', size, ...quick);
    expect(await outside.must('ip', 'route', 'get', h2[family]), family).toMatch(/ mtu 1450/);
    expect((await ask(outside, 'udp', h2[family], 8080, '--size', size)).reply, family).toContain(`bytes=${size}`);
    expect((await ask(outside, 'udp', h2[family], 8080, '--size', '9000')).reply, family).toContain('bytes=9000');
  }
});

test('an error of the container comes back to the client, from the host that it asked', async () => {
  for (const host of cluster.hosts) {
    for (const family of families) {
      expect(await ask(outside, 'udp', host[family], 8099), host.name).toMatchObject({ error: 'ECONNREFUSED' });
    }
  }
});

test("who is on a host itself does not reach another host's endpoint by it, and is told so", async () => {
  const [h1, h2] = cluster.hosts;
  for (const address of ['127.0.0.1', '::1', h2.address4, h2.address6]) {
    expect(await ask(h2, 'tcp', address, 8080, ...quick), address).toMatchObject({ error: 'ECONNREFUSED' });
  }
  const before = await h2.drops('PUBLISHED_ELSEWHERE');
  expect((await ask(neighbour, 'tcp', h2.address4, 8080, ...quick)).ok).toBe(false);
  expect(await h2.drops('PUBLISHED_ELSEWHERE')).toBeGreaterThan(before);
  // By the host that it is on, all the same.
  expect((await ask(h1, 'tcp', '127.0.0.1', 8080)).reply).toContain('shop');
  expect((await ask(neighbour, 'tcp', h1.address4, 8080)).reply).toContain('shop');
  expect((await ask(h1, 'tcp', h2.address4, 8080)).reply).toContain('shop');
});

test('a port is taken on every host: to its processes, and to other endpoints', async () => {
  const [, h2, h3] = cluster.hosts;
  const bind = 'import socket; socket.create_server(("", 8080))';
  expect((await h2.exec('python3', '-c', bind)).stderr).toContain('Address already in use');
  await expect(h3.attach('app', 'rival', '--publish', '8080:80')).rejects.toMatchObject({
    ...{ code: 'PORT_ALLOCATED', hint: expect.stringContaining('app/shop on host h1 has published it') },
  });
});

test('a host where something has the port goes without, says so, and has it when it is free', async () => {
  const [h1, h2, h3] = cluster.hosts;
  const holder = await serve(h3, 'tcp', 8085);
  await h2.vetch('port', 'publish', 'app/neighbour', '8086:80');
  await h1.vetch('port', 'publish', 'app/shop', '8085:80');
  await h1.vetch('port', 'publish', 'app/shop', '8086:80');
  await expect.poll(() => warnings(h3), patient).toMatch(/8085 does not lead to app\/shop on host h1 .* a process/);
  await expect
    .poll(() => warnings(h2), patient)
    .toMatch(/8086 does not lead to app\/shop on host h1 .* another endpoint/);
  await expect.poll(() => answers(h2, 8085), patient).toBe(true);
  expect((await ask(outside, 'tcp', h3.address4, 8085)).reply).toMatch(/^h3 /);
  await holder.stop();
  await h2.vetch('port', 'unpublish', 'app/neighbour', '8086:80');
  await expect.poll(() => answers(h2, 8086), patient).toBe(true);
  await expect.poll(() => answers(h3, 8085), { ...patient, timeout: 60_000 }).toBe(true);
  for (const host of [h2, h3]) expect(await warnings(host)).not.toContain('does not lead');
  for (const port of ['8085:80', '8086:80']) await h1.vetch('port', 'unpublish', 'app/shop', port);
});

test("policy knows the client, and tells of it by the container's host", async () => {
  const [h1, h2, h3] = cluster.hosts;
  const text = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: app}
spec:
  podSelector: {matchLabels: {app: shop}}
  policyTypes: [Ingress]
  ingress:
  - from: [{ipBlock: {cidr: ${far.address4}/32}}]`;
  await h3.must('sh', '-c', `cat > /run/guard.yaml <<E\n${text}\nE`);
  await h3.vetch('policy', 'apply', '-f', '/run/guard.yaml');
  for (const host of cluster.hosts) await expect.poll(() => answers(host), patient).toBe(false);
  for (const host of cluster.hosts) expect(await answers(host, 8080, 'tcp', far)).toBe(true);
  const vetch = new URL('../../bin/vetch', import.meta.url).pathname;
  const told = () =>
    h1.must(vetch, '--socket', h1.socket, 'flows', '--last', '99', '--reason', 'POLICY_DENIED', '--json');
  await answers(h2);
  await expect.poll(told, patient).toMatch(new RegExp(`"${outside.address4}".*"endpoint":"shop".*"name":"guard"`));
  await h2.vetch('policy', 'delete', '-n', 'app', 'guard');
  for (const host of cluster.hosts) await expect.poll(() => answers(host), patient).toBe(true);
});

test('a port that is published no more ends its connections on every host, and leaves nothing there', async () => {
  const [h1, h2] = cluster.hosts;
  await h1.vetch('port', 'publish', 'app/shop', '8087:80');
  await expect.poll(() => answers(h2, 8087), patient).toBe(true);
  const open = ask(outside, 'tcp', h2.address4, 8087, '--count', '1000', '--interval', '0.05', '--timeout', '2');
  await new Promise((resolve) => setTimeout(resolve, 500));
  await h1.vetch('port', 'unpublish', 'app/shop', '8087:80');
  const { ok, replies } = await open;
  expect([ok, replies > 0]).toEqual([false, true]);
  const open_ = () => h2.vetch<unknown[]>('conntrack', 'ls', '--port', '8087').then((all) => all.length);
  await expect.poll(open_, patient).toBe(0);
  expect((await ask(outside, 'tcp', h2.address4, 8087, ...quick)).error).toBe('ECONNREFUSED');
});

test('a daemon that is upgraded, or dies, stops no connection by its host or to it', async () => {
  const [h1, h2, h3] = cluster.hosts;
  const long = ['--count', '80', '--interval', '0.1'];
  const open = cluster.hosts.map((host) => ask(outside, 'tcp', host.address6, 8080, ...long));
  await h2.stopDaemon('SIGKILL');
  await h1.stopDaemon('SIGKILL');
  for (const host of cluster.hosts) expect(await answers(host), host.name).toBe(true);
  await Promise.all([cluster.start('h1'), cluster.start('h2')]);
  await h3.stopDaemon();
  expect(await answers(h3)).toBe(true);
  await cluster.start('h3');
  for (const { ok } of await Promise.all(open)) expect(ok).toBe(true);
  for (const host of cluster.hosts) expect(await answers(host), host.name).toBe(true);
});

test('a container that moves to another host takes its ports along', async () => {
  const [h1, h2, h3] = cluster.hosts;
  const ips = addresses.flatMap((address) => ['--ip', address.replace(/\/.*/, '')]);
  await h1.vetch('endpoint', 'detach', 'app/shop');
  const publish = ['--publish', '8080:80', '--publish', '8080:80/udp'];
  await expect
    .poll(async () => {
      const left = await h3.vetch<EndpointView[]>('endpoint', 'ls');
      return left.some(({ name }) => name === 'shop');
    }, patient)
    .toBe(false);
  const [moved] = await h3.attach('app', 'moved', ...ips, ...scope, ...publish);
  await serve(moved, 'tcp', 80);
  for (const host of [h1, h2, h3]) {
    await expect.poll(() => answers(host), patient).toBe(true);
    for (const family of families) {
      const { reply } = await ask(outside, 'tcp', host[family], 8080);
      expect(reply, host.name).toMatch(new RegExp(`^moved peer=${outside[family]},`));
    }
  }
  await h3.vetch('endpoint', 'detach', 'app/moved');
  for (const host of [h1, h2, h3]) {
    await expect
      .poll(async () => (await ask(outside, 'tcp', host.address4, 8080, ...quick)).error, patient)
      .toBe('ECONNREFUSED');
    await expect.poll(() => flowsAt(host).then((all) => all.length), patient).toBe(0);
  }
});
