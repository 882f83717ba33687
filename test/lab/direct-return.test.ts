import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import type { NodeView } from '../../src/api/schemas/node.ts';
import type { PortView } from '../../src/api/schemas/port.ts';
import { Capture } from './capture.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import type { Client } from './lab.ts';
import type { Machine } from './machine.ts';
import { ask, serve, type Transport } from './talk.ts';

// Ports of a container that every host leads to, and its own host answers: three hosts, a container on the first.

const programs = new URL('./programs/', import.meta.url).pathname;
/** More than one TCP window of the smallest packets, less than a slow machine minds. */
const bulk = 3_000_000;
const quick = ['--timeout', '0.7'];
const families = ['address4', 'address6'] as const;
const direct = ['--opt', 'vetch.publish=cluster', '--opt', 'vetch.publish.return=direct'];
/** Of no host yet. */
const floating = '198.51.100.200';

let cluster: ClusterLab;
let outside: Client;
let far: Client;
let shop: Container;
let addresses: readonly string[];

beforeAll(async () => {
  cluster = await ClusterLab.create(undefined, { remotes: ['far'], members: 1 });
  const [h1, h2, h3] = cluster.hosts;
  [outside, far] = [cluster.lab.client('outside'), cluster.lab.client('far')];
  await h1.vetch('network', 'create', 'app', '--driver', 'overlay', '--subnet', '10.100.0.0/24', '--ipv6');
  for (const host of [h2, h3]) {
    await vi.waitUntil(() => host.vetch<unknown[]>('network', 'ls').then((all) => all.length === 1), patient);
  }
  const specs = ['8080:80', '8080:80/udp', '8090:90', '8091:91', '8099:99/udp'];
  const publish = specs.flatMap((spec) => ['--publish', spec]);
  [shop, { addresses }] = await h1.attach('app', 'shop', '--label', 'app=shop', ...direct, ...publish);
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

const flowsAt = (host: Host) => host.vetch<unknown[]>('conntrack', 'ls', '--port', '8080');

test('every host is answered under its address over both families, and the container sees who asks', async () => {
  const [h1, h2, h3] = cluster.hosts;
  const ports = await h1.vetch<PortView[]>('port', 'ls');
  for (const port of ports) expect(port).toMatchObject({ scope: 'cluster', return: 'direct' });
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
  expect((await flowsAt(h1)).length).toBeGreaterThan(0);
  for (const host of [h2, h3]) expect(await flowsAt(host)).toEqual([]);
});

test('no answer passes the host that was asked', async () => {
  const [h1, h2] = cluster.hosts;
  for (const family of families) {
    const own = h2[family];
    const back = `src host ${h1.address4} and udp port 4789`;
    await using asked = await Capture.start(h2, 'eth0', `(${back}) or (src host ${own} and tcp src port 8090)`);
    await using home = await Capture.start(h1, 'eth0', `src host ${own} and tcp src port 8090`);
    expect(await python(outside, 'bulk.py', 'fetch', own, '8090')).toBe(String(bulk));
    await home.until(/8090/);
    expect([home.lines.length > 10, asked.lines], family).toEqual([true, []]);
  }
});

test('bulk goes both ways by each host, also where a router on the way back takes less', async () => {
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
  for (const family of families) {
    expect(await shop.must('ip', 'route', 'get', far[family]), family).toContain('mtu 1300');
  }
});

test('a client learns how large its packets may be, and what the container refuses', async () => {
  const [, h2] = cluster.hosts;
  for (const family of families) {
    await outside.must('sh', '-ec', 'ip route flush cache; ip -6 route flush cache');
    const size = String(1500 - (family === 'address4' ? 28 : 48));
    await ask(outside, 'udp', h2[family], 8080, '--size', size, ...quick);
    expect(await outside.must('ip', 'route', 'get', h2[family]), family).toMatch(/ mtu 1450/);
    expect((await ask(outside, 'udp', h2[family], 8080, '--size', size)).reply, family).toContain(`bytes=${size}`);
    expect((await ask(outside, 'udp', h2[family], 8080, '--size', '9000')).reply, family).toContain('bytes=9000');
    expect(await ask(outside, 'udp', h2[family], 8099), family).toMatchObject({ error: 'ECONNREFUSED' });
  }
});

test('hosts, and containers that go out under their addresses, are answered by the host that they ask', async () => {
  const [h1, h2, h3] = cluster.hosts;
  for (const family of families) {
    for (const host of [h1, h3]) {
      expect((await ask(host, 'tcp', h2[family], 8080)).reply, host.name).toContain(`shop peer=${host[family]},`);
    }
  }
  for (const host of [h1, h3]) {
    await host.vetch('network', 'create', 'plain', '--subnet', '10.101.0.0/24');
    const [guest] = await host.attach('plain', 'guest');
    expect((await ask(guest, 'tcp', h2.address4, 8080)).reply, host.name).toContain(`shop peer=${host.address4},`);
    await host.vetch('endpoint', 'detach', 'plain/guest');
    await host.vetch('network', 'rm', 'plain');
  }
  expect((await flowsAt(h2)).length).toBeGreaterThan(0);
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
  await expect.poll(told, patient).toMatch(new RegExp(`"${outside.address4}".*"${h2.address4}".*"name":"guard"`));
  await h2.vetch('policy', 'delete', '-n', 'app', 'guard');
  for (const host of cluster.hosts) await expect.poll(() => answers(host), patient).toBe(true);
});

test('a daemon that is upgraded, or dies, stops no connection', async () => {
  const [h1, h2] = cluster.hosts;
  const long = ['--count', '60', '--interval', '0.1'];
  const open = cluster.hosts.map((host) => ask(outside, 'tcp', host.address6, 8080, ...long));
  await h2.stopDaemon('SIGKILL');
  await h1.stopDaemon('SIGKILL');
  for (const host of cluster.hosts) expect(await answers(host), host.name).toBe(true);
  await Promise.all([cluster.start('h1'), cluster.start('h2')]);
  for (const { ok } of await Promise.all(open)) expect(ok).toBe(true);
  for (const host of cluster.hosts) expect(await answers(host), host.name).toBe(true);
});

test('an address that moves to another host takes its connections along', async () => {
  const [h1, h2, h3] = cluster.hosts;
  const macOf = async (host: Host) => {
    const [own] = JSON.parse(await host.must('ip', '-j', 'link', 'show', 'eth0')) as { address: string }[];
    return own?.address ?? '';
  };
  const sendTo = (mac: string) => outside.ip(`neigh replace ${floating} lladdr ${mac} dev eth0`);
  const isOf = (host: Host) => async () => {
    const nodes = await h1.vetch<NodeView[]>('node', 'ls');
    return (
      nodes
        .filter(({ addresses: all }) => all.includes(floating))
        .map(({ name }) => name)
        .join() === host.name
    );
  };
  await h2.ip(`addr add ${floating}/24 dev eth0`);
  await expect.poll(isOf(h2), patient).toBe(true);
  await sendTo(await macOf(h2));
  const open = ask(outside, 'tcp', floating, 8080, '--count', '60', '--interval', '0.1', '--timeout', '20');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  // What comes before the other host's daemon has seen the address is refused by that host's stack.
  await sendTo('02:00:00:00:00:99');
  await h2.ip(`addr del ${floating}/24 dev eth0`);
  await h3.ip(`addr add ${floating}/24 dev eth0`);
  await expect.poll(isOf(h3), patient).toBe(true);
  await sendTo(await macOf(h3));
  expect(await open).toMatchObject({ ok: true, replies: 60 });
  for (const host of [h2, h3]) {
    const flows = await host.vetch<unknown[]>('conntrack', 'ls', '--port', '8080');
    expect(JSON.stringify(flows)).not.toContain(floating);
  }
  await h3.ip(`addr del ${floating}/24 dev eth0`);
});

test('a container that moves to another host takes its ports along', async () => {
  const [h1, h2, h3] = cluster.hosts;
  const ips = addresses.flatMap((address) => ['--ip', address.replace(/\/.*/, '')]);
  const open = ask(outside, 'tcp', h2.address4, 8080, '--count', '1000', '--interval', '0.05', '--timeout', '2');
  await new Promise((resolve) => setTimeout(resolve, 300));
  await h1.vetch('endpoint', 'detach', 'app/shop');
  expect(await open).toMatchObject({ ok: false });
  await expect
    .poll(async () => {
      const left = await h3.vetch<EndpointView[]>('endpoint', 'ls');
      return left.some(({ name }) => name === 'shop');
    }, patient)
    .toBe(false);
  const publish = ['--publish', '8080:80', '--publish', '8080:80/udp'];
  const [moved] = await h3.attach('app', 'moved', ...ips, ...direct, ...publish);
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

test('the way back is for ports of every host, and has two names', async () => {
  const [h1] = cluster.hosts;
  const one = ['--opt', 'vetch.publish.return=direct'];
  await expect(h1.attach('app', 'wrong', ...one, '--publish', '8070:80')).rejects.toMatchObject({
    ...{ code: 'INVALID', hint: expect.stringContaining('vetch.publish=cluster') },
  });
  await expect(h1.attach('app', 'wrong2', '--opt', 'vetch.publish.return=straight')).rejects.toMatchObject({
    ...{ code: 'INVALID', hint: 'use translated or direct' },
  });
  await expect(h1.vetch('network', 'create', 'wrong', '--driver', 'overlay', ...one)).rejects.toMatchObject({
    code: 'INVALID',
  });
  await expect(h1.vetch('network', 'create', 'wrong', ...direct.slice(2))).rejects.toMatchObject({
    code: 'UNSUPPORTED',
  });
});
