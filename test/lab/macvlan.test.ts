import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PolicyApi } from '../policy/policy-api.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { ask, ping, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

// The parent is the host's uplink, as on most machines: both sorts of programs see its frames.

let lab: Lab;
let host: Host;
let outside: Client;
let remote: Client;
let web: Container;
let db: Container;
let webs: AttachedEndpoint;

const subnets = ['--subnet', '198.51.100.0/24', '--subnet', '2001:db8:f::/64'];
const gateways = ['--gateway', '198.51.100.1', '--gateway', '2001:db8:f::1'];
const lan = (name: string, ...flags: string[]) =>
  host.vetch(
    'network',
    'create',
    name,
    '--driver',
    'macvlan',
    '--opt',
    'parent=eth0',
    ...subnets,
    ...gateways,
    ...flags,
  );
const groups = new URL('./programs/group.py', import.meta.url).pathname;
const addressesOf = ({ addresses }: AttachedEndpoint) => addresses.map((cidr) => cidr.replace(/\/\d+$/, ''));
const attach = (network: string, name: string, host4: number, ...flags: string[]) =>
  host.attach(network, name, '--ip', `198.51.100.${host4}`, '--ip', `2001:db8:f::${host4}`, ...flags);
const quick = ['--timeout', '0.5'];

beforeAll(async () => {
  lab = await Lab.create({ remotes: ['remote'] });
  host = lab.host('h1');
  outside = lab.client('outside');
  remote = lab.client('remote');
  await lan('lan');
  [web, webs] = await attach('lan', 'web', 32, '--label', 'app=web');
  [db] = await attach('lan', 'db', 33, '--label', 'app=db');
  for (const machine of [web, outside, remote, host]) await serve(machine, 'tcp', 80);
  await serve(web, 'udp', 80);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

describe('a macvlan network in mode bridge', () => {
  test('is found by the LAN, under its own addresses and every port', async () => {
    for (const address of addressesOf(webs)) {
      expect(await ping(outside, address), address).toBe(0);
      for (const transport of ['tcp', 'udp'] as const) {
        const reply = await ask(outside, transport, address, 80);
        expect(reply, `${transport} ${address}`).toMatchObject({ ok: true, replyFrom: [address, 80] });
        expect(reply.reply).toContain(`peer=${address.includes(':') ? outside.address6 : outside.address4},`);
      }
    }
    expect(await outside.must('ip', 'neigh')).toContain(webs.mac);
  });

  test('reaches the LAN, and by its router what is behind, under its own address', async () => {
    for (const machine of [outside, remote]) {
      for (const [at, address] of [machine.address4, machine.address6].entries()) {
        expect(await ping(web, address), `${machine.name} ${address}`).toBe(0);
        expect((await ask(web, 'tcp', address, 80)).reply, address).toContain(`peer=${addressesOf(webs)[at]},`);
      }
    }
  });

  test('has services for its endpoints, and the LAN sees nothing of them', async () => {
    const vip = '198.51.100.200';
    const create = (...flags: string[]) =>
      host.vetch('service', 'create', 'shop', '--network', 'lan', '--vip', vip, '--port', '80', ...flags);
    const unchecked = ['--select', 'app=web'];
    await expect(create(...unchecked, '--health', 'tcp')).rejects.toMatchObject({ code: 'INVALID' });
    await create(...unchecked);
    expect(await ask(db, 'tcp', vip, 80)).toMatchObject({ ok: true, replyFrom: [vip, 80] });
    expect(await ask(outside, 'tcp', vip, 80, ...quick)).toMatchObject({ ok: false });
    await host.vetch('service', 'rm', 'shop');
    expect(await ask(db, 'tcp', vip, 80, ...quick)).toMatchObject({ ok: false });
  });

  test('carries traffic between its endpoints, and is not masqueraded', async () => {
    for (const address of addressesOf(webs)) {
      expect(await ping(db, address), address).toBe(0);
      expect(await ask(db, 'tcp', address, 80), address).toMatchObject({ ok: true });
    }
  });

  test('gives its host no way in and none out, and says so', async () => {
    for (const address of [host.address4, host.address6]) {
      expect(await ask(web, 'tcp', address, 80, ...quick), address).toMatchObject({ ok: false });
    }
    for (const address of addressesOf(webs)) {
      expect(await ask(host, 'tcp', address, 80, ...quick), address).toMatchObject({ ok: false });
    }
    expect(await host.drops('HOST_ACCESS_OFF')).toBeGreaterThan(0);
  });

  test('leaves the host its own traffic on the same device', async () => {
    for (const address of [host.address4, host.address6]) {
      expect(await ask(outside, 'tcp', address, 80), address).toMatchObject({ ok: true });
    }
    expect(await ask(host, 'tcp', outside.address4, 80)).toMatchObject({ ok: true });
    expect(await host.drops('SPOOFED')).toBe(0);
  });

  test('hears groups of the LAN and is heard, both ways', async () => {
    const heard = async (group: string, at: number) => {
      const port = String(5353 + at);
      const listeners = [outside, db].map((machine) =>
        machine.spawn('python3', groups, 'listen', group, port, 'eth0', machine.name),
      );
      for (const listener of listeners) await listener.until(/ready/);
      const names = async (machine: Client | Container): Promise<string[]> =>
        JSON.parse(await machine.must('python3', groups, 'ask', group, port, 'eth0'));
      return [await names(web), (await names(outside)).includes('db')];
    };
    const answers = await Promise.all(['224.0.0.251', 'ff02::fb', '198.51.100.255'].map(heard));
    expect(answers).toEqual(answers.map(() => [['db', 'outside'], true]));
  });

  test('shows its flows, with who is on the LAN as the world', async () => {
    await ask(outside, 'tcp', addressesOf(webs)[0] ?? '', 80);
    const shown = await host.must(
      ...[new URL('../../bin/vetch', import.meta.url).pathname, '--socket', host.socket],
      ...['flows', '--last', '1000', '--to', 'web', '--from', outside.address4, '--json'],
    );
    expect(shown).toContain('"network":"lan"');
    expect(shown).toContain('"verdict":"FORWARDED"');
  });

  test('a trace plays a packet of the LAN, and one to it', async () => {
    type Trace = { verdict: string; steps: { hook: string; action: string }[] };
    const trace = (from: string, to: string) =>
      host.vetch<Trace>('trace', '--from', from, '--to', to, '--port', '80/tcp');
    const inward = await trace(outside.address4, 'web');
    expect(inward.steps.map(({ hook, action }) => `${hook} ${action}`)).toContain('from_lan to_endpoint');
    const outward = await trace('web', '198.51.100.200');
    expect(outward.steps.map(({ action }) => action)).toContain('to_lan');
  });

  test('refuses published ports with the reason', async () => {
    await expect(host.vetch('port', 'publish', 'web', '8080:80')).rejects.toMatchObject({ code: 'INVALID' });
  });

  test('obeys policy from the LAN and to it, and a revoked permission ends the live connection', async () => {
    using policy = new PolicyApi(host);
    const [address = ''] = addressesOf(webs);
    const rule = (name: string, spec: object) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace: 'lan' },
      spec: { podSelector: { matchLabels: { app: 'web' } }, ...spec },
    });
    type Document = Parameters<PolicyApi['apply']>[0];
    const only = rule('only-db', {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'db' } } }] }],
    }) as unknown as Document;
    const open = rule('lan', {
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ ipBlock: { cidr: `${outside.address4}/32` } }], ports: [{ port: 80 }] }],
    }) as unknown as Document;
    await policy.apply(only, open);
    expect(await ask(outside, 'tcp', address, 80)).toMatchObject({ ok: true });
    expect(await ask(remote, 'tcp', address, 80, ...quick)).toMatchObject({ ok: false });
    expect(await ask(web, 'tcp', outside.address4, 80, ...quick)).toMatchObject({ ok: false });
    expect(await ask(db, 'tcp', address, 80)).toMatchObject({ ok: true });
    const stream = ask(outside, 'tcp', address, 80, '--count', '40', '--interval', '0.1', '--timeout', '2');
    await new Promise((resolve) => setTimeout(resolve, 500));
    await policy.delete(open);
    expect((await stream).ok).toBe(false);
    expect(await ask(outside, 'tcp', address, 80, ...quick)).toMatchObject({ ok: false });
    await policy.deleteAll();
    expect(await ask(outside, 'tcp', address, 80)).toMatchObject({ ok: true });
  });
});
