import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ServiceView } from '../../src/api/schemas/service.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { type Background, slowness } from './process.ts';
import { ask, type Transport } from './talk.ts';

// Services: one address in front of three backends, of which the third has twice the weight.

const programs = new URL('./programs/', import.meta.url).pathname;
const vips = { 4: '10.88.0.200', 6: 'fd00:88::200' } as const;
const families = [4, 6] as const;

let lab: Lab;
let host: Host;
let till: Container;
let backends: Container[];
let servers: Background[];

type Counts = Readonly<Record<string, number>>;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  backends = [];
  for (const [name, weight] of [
    ['b1', 1],
    ['b2', 1],
    ['b3', 2],
  ] as const) {
    const [container] = await host.attach('web', name, '--label', 'app=shop', '--label', `vetch.io/weight=${weight}`);
    backends.push(container);
  }
  [till] = await host.attach('web', 'till', '--label', 'app=till');
  servers = await Promise.all(backends.flatMap((machine) => [listen(machine, 'tcp'), listen(machine, 'udp')]));
  for (const family of families) {
    await create(`shop${family}`, vips[family], '--port', '80:8080', '--port', '80:8080/udp', '--health', 'tcp');
  }
});
afterAll(() => lab?.[Symbol.asyncDispose]());

async function listen(machine: Machine, transport: Transport): Promise<Background> {
  const server = machine.spawn('python3', `${programs}server.py`, transport, '::', '8080', machine.name);
  await server.until(/ready/);
  return server;
}

function create(name: string, vip: string, ...flags: string[]): Promise<ServiceView> {
  const args = ['service', 'create', name, '--network', 'web', '--vip', vip, '--select', 'app=shop'];
  return host.vetch<ServiceView>(...args, ...flags);
}

async function service(name: string): Promise<ServiceView> {
  const found = (await host.vetch<ServiceView[]>('service', 'ls')).find((one) => one.name === name);
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}

async function spread(machine: Machine, transport: Transport, address: string, count: number, port = 80) {
  const args = [transport, address, String(port), String(count)];
  return JSON.parse(await machine.must('python3', `${programs}spread.py`, ...args)) as Counts;
}

/** Connections that stay, and who is at their other ends. */
async function hold(address: string, count: number, ...flags: string[]): Promise<{ held: Background; counts: Counts }> {
  const held = till.spawn('python3', `${programs}spread.py`, 'tcp', address, '80', String(count), '--hold', ...flags);
  const [, counts = ''] = await held.until(/ready (.*)\n/);
  return { held, counts: JSON.parse(counts) as Counts };
}

/** Who still answers on them. */
async function release(held: Background): Promise<Counts> {
  held.child.stdin?.end();
  const [, counts = ''] = await held.until(/held (.*)\n/);
  return JSON.parse(counts) as Counts;
}

async function eventually(condition: () => Promise<boolean>, seconds: number): Promise<number> {
  const began = performance.now();
  while (!(await condition())) {
    if (performance.now() - began > seconds * 1000 * slowness) throw new Error(`not so after ${seconds} s`);
  }
  return performance.now() - began;
}

test('flows of both protocols and families are spread by weight', async () => {
  for (const family of families) {
    for (const transport of ['tcp', 'udp'] as const) {
      const counts = await spread(till, transport, vips[family], 240);
      expect(counts.errors, `${transport} ${family}`).toBe(0);
      for (const [name, share] of [
        ['b1', 60],
        ['b2', 60],
        ['b3', 120],
      ] as const) {
        expect(counts[name], `${transport} ${family} ${name}`).toBeGreaterThan(share * 0.55);
        expect(counts[name], `${transport} ${family} ${name}`).toBeLessThan(share * 1.45);
      }
    }
  }
  const { backends: shown } = await service('shop4');
  expect(shown.map(({ endpoint, weight, healthy }) => [endpoint, weight, healthy])).toEqual([
    ['b1', 1, true],
    ['b2', 1, true],
    ['b3', 2, true],
  ]);
});

test("a client talks to the service's address alone, and a backend sees who asks", async () => {
  for (const family of families) {
    for (const transport of ['tcp', 'udp'] as const) {
      const { replyFrom, reply, local } = await ask(till, transport, vips[family], 80);
      expect(replyFrom).toEqual([vips[family], 80]);
      expect(reply).toContain(`peer=${local?.[0]},`);
    }
    const own = await spread(backends[0] as Container, 'tcp', vips[family], 40);
    expect(own.errors).toBe(0);
    expect(own.b1).toBeGreaterThan(0);
  }
});

test('processes of the host reach it, too, and believe to talk to it', async () => {
  for (const family of families) {
    for (const transport of ['tcp', 'udp'] as const) {
      const counts = await spread(host, transport, vips[family], 60);
      expect(Object.keys(counts).sort(), `${transport} ${family}`).toEqual(['b1', 'b2', 'b3', 'errors']);
      expect(counts.errors).toBe(0);
    }
    expect(await ask(host, 'tcp', vips[family], 80)).toMatchObject({ ok: true, peer: [vips[family], 80] });
    expect(await ask(host, 'udp', vips[family], 80, '--unconnected', '--count', '3')).toMatchObject({
      ...{ ok: true, replyFrom: [vips[family], 80], replies: 3 },
    });
  }
});

test("the address is nobody else's, and a port that it has not is refused with a reason", async () => {
  await expect(create('again', vips[4], '--port', '81')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  await expect(create('taken', '10.88.0.2', '--port', '81')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  await expect(create('far', '10.99.0.2', '--port', '81')).rejects.toMatchObject({ code: 'ADDRESS_OUTSIDE_POOL' });
  await expect(create('shop4', '10.88.0.201', '--port', '81')).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await expect(create('odd', '10.88.0.201', '--port', '81/sctp')).rejects.toMatchObject({ code: 'INVALID' });
  await expect(create('odd', '10.88.0.201', '--port', '81/udp', '--health', 'tcp')).rejects.toMatchObject({
    code: 'INVALID',
  });
  await expect(host.attach('web', 'thief', '--ip', vips[4])).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  await expect(host.vetch('network', 'rm', 'web')).rejects.toMatchObject({ code: 'IN_USE' });
  const before = await host.drops('SERVICE_PORT');
  expect(await ask(till, 'tcp', vips[4], 81, '--timeout', '0.5')).toMatchObject({ ok: false });
  expect(await host.drops('SERVICE_PORT')).toBeGreaterThan(before);
});

test('labels that change are followed at once', async () => {
  await host.vetch('endpoint', 'label', 'b2', 'app=spare');
  expect(await spread(till, 'tcp', vips[4], 40)).not.toHaveProperty('b2');
  await host.vetch('endpoint', 'label', 'b1', 'vetch.io/weight=0');
  expect(Object.keys(await spread(till, 'tcp', vips[6], 40)).sort()).toEqual(['b3', 'errors']);
  await host.vetch('endpoint', 'label', 'b3', 'app=spare');
  expect(await ask(till, 'tcp', vips[4], 80, '--timeout', '0.5')).toMatchObject({ ok: false });
  for (const transport of ['tcp', 'udp'] as const) {
    expect(await ask(host, transport, vips[4], 80)).toMatchObject({ ok: false, error: 'ECONNREFUSED' });
  }
  expect(await host.drops('NO_BACKEND')).toBeGreaterThan(0);
  await host.vetch('endpoint', 'label', 'b1', 'vetch.io/weight=1');
  await host.vetch('endpoint', 'label', 'b2', 'app=shop');
  await host.vetch('endpoint', 'label', 'b3', 'app=shop');
  expect(Object.keys(await spread(till, 'tcp', vips[4], 60)).sort()).toEqual(['b1', 'b2', 'b3', 'errors']);
});

test('a backend that dies gets no new flows, and connections to the others go on', async () => {
  const { held, counts } = await hold(vips[4], 40);
  expect(counts.errors).toBe(0);
  await servers[0]?.stop();
  const isDead = async () => (await service('shop4')).backends[0]?.healthy === false;
  expect(await eventually(isDead, 10)).toBeLessThan(3000 * slowness);
  const after = await spread(till, 'tcp', vips[4], 80);
  expect(after.errors).toBe(0);
  expect(after).not.toHaveProperty('b1');
  const still = await release(held);
  expect(still).toMatchObject({ b2: counts.b2, b3: counts.b3, errors: counts.b1 });
  servers[0] = await listen(backends[0] as Container, 'tcp');
  expect(await eventually(async () => !(await isDead()), 10)).toBeLessThan(4000 * slowness);
  expect((await spread(till, 'tcp', vips[4], 80)).b1).toBeGreaterThan(0);
});

test('without the daemon, and after its SIGKILL and restart, flows go on', async () => {
  const { held, counts } = await hold(vips[6], 30);
  await host.stopDaemon('SIGKILL');
  expect((await spread(till, 'tcp', vips[6], 60)).errors).toBe(0);
  await host.start();
  const tables = await host.vetch<{ entries: unknown[] }>('maps', 'dump', 'services');
  expect(tables.entries).toHaveLength(6);
  expect((await spread(till, 'tcp', vips[6], 60)).errors).toBe(0);
  expect(await release(held)).toEqual(counts);
});

test('policy judges the client and the backend that it gets', async () => {
  const policy = {
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'shop', namespace: 'web' } },
    spec: {
      podSelector: { matchLabels: { app: 'shop' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'till' } } }], ports: [{ port: 8080 }] }],
    },
  };
  const [spy] = await host.attach('web', 'spy');
  const path = `/tmp/vetch-services-${process.pid}.json`;
  writeFileSync(path, JSON.stringify(policy));
  await host.vetch('policy', 'apply', '-f', path);
  expect((await spread(till, 'tcp', vips[4], 20)).errors).toBe(0);
  const before = await host.drops('POLICY_DENIED');
  expect(await ask(spy, 'tcp', vips[4], 80, '--timeout', '0.5')).toMatchObject({ ok: false });
  expect(await host.drops('POLICY_DENIED')).toBeGreaterThan(before);
  await host.vetch('policy', 'delete', 'shop');
  expect(await ask(spy, 'tcp', vips[4], 80)).toMatchObject({ ok: true });
});

test('a client that keeps its backend keeps it while that one may be given', async () => {
  await create('sticky', '10.88.0.210', '--port', '80:8080', '--affinity', '60', '--algorithm', 'random');
  const first = await spread(till, 'tcp', '10.88.0.210', 30);
  expect(Object.entries(first).filter(([, flows]) => flows > 0)).toHaveLength(1);
  const [name = ''] = Object.entries(first).find(([, flows]) => flows === 30) ?? [];
  await host.vetch('endpoint', 'label', name, 'app=spare');
  const second = await spread(till, 'tcp', '10.88.0.210', 30);
  expect(second.errors).toBe(0);
  expect(second).not.toHaveProperty(name);
  await host.vetch('endpoint', 'label', name, 'app=shop');
  await host.vetch('service', 'rm', 'sticky');
  await create('chance', '10.88.0.211', '--port', '80:8080', '--algorithm', 'random');
  expect(Object.keys(await spread(till, 'tcp', '10.88.0.211', 60)).sort()).toEqual(['b1', 'b2', 'b3', 'errors']);
  await host.vetch('service', 'rm', 'web/chance');
});

test('a service that is removed leaves nothing', async () => {
  const { held } = await hold(vips[4], 3, '--timeout', '0.5');
  for (const family of families) await host.vetch('service', 'rm', `shop${family}`);
  expect(await release(held)).toEqual({ errors: 3 });
  for (const map of ['services', 'service_members']) {
    expect(await host.vetch('maps', 'dump', map)).toMatchObject({ entries: [] });
  }
  const slots = await host.vetch<{ entries: { value: unknown }[] }>('maps', 'dump', 'service_slots');
  expect(JSON.stringify(slots.entries.map(({ value }) => value))).not.toMatch(/[1-9]/);
  const flows = await host.vetch<unknown[]>('conntrack', 'ls');
  expect(JSON.stringify(flows)).not.toContain(vips[4]);
  expect(await ask(till, 'tcp', vips[4], 80, '--timeout', '0.5')).toMatchObject({ ok: false });
  await host.attach('web', 'heir', '--ip', vips[4]);
});
