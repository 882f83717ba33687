import { afterAll, beforeAll, expect, test } from 'vitest';
import * as build from '../kernel/packet/build.ts';
import { PolicyApi } from '../policy/policy-api.ts';
import { attackPort } from './attacks.ts';
import { Capture } from './capture.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { RawSender } from './raw-sender.ts';
import { ask, ping, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

// Endpoints that share the MAC of the parent, which is the host's uplink, too.

let lab: Lab;
let host: Host;
let outside: Client;
let remote: Client;
let web: Container;
let db: Container;
let own: AttachedEndpoint;

const quick = ['--timeout', '0.5'];
const both = (at: number) => [`198.51.100.${at}`, `2001:db8:f::${at}`] as const;
const groups = new URL('./programs/group.py', import.meta.url).pathname;
const lanOf = ({ address4, address6 }: Client | Host) => [address4, address6];

beforeAll(async () => {
  lab = await Lab.create({ remotes: ['remote'] });
  host = lab.host('h1');
  outside = lab.client('outside');
  remote = lab.client('remote');
  await create('lan', 'eth0');
  [web, own] = await attach('lan', 'web', 32);
  [db] = await attach('lan', 'db', 33);
  for (const machine of [outside, remote, host]) await serve(machine, 'tcp', 80);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

function create(name: string, parent: string, ...flags: string[]): Promise<unknown> {
  const subnets = ['--subnet', '198.51.100.0/24', '--subnet', '2001:db8:f::/64'];
  const gateways = ['--gateway', '198.51.100.1', '--gateway', '2001:db8:f::1'];
  const options = ['--driver', 'ipvlan', '--opt', `parent=${parent}`];
  return host.vetch('network', 'create', name, ...options, ...subnets, ...gateways, ...flags);
}

async function attach(network: string, name: string, at: number): Promise<[Container, AttachedEndpoint]> {
  const [v4, v6] = both(at);
  const [container, endpoint] = await host.attach(network, name, '--ip', v4, '--ip', v6);
  await serve(container, 'tcp', 80);
  return [container, endpoint];
}

async function reaches(from: Container | Client | Host, addresses: readonly string[], ok: boolean): Promise<void> {
  const replies = await Promise.all(addresses.map((address) => ask(from, 'tcp', address, 80, ...(ok ? [] : quick))));
  expect(
    replies.map((reply) => reply.ok),
    `${from.name} to ${addresses}`,
  ).toEqual(addresses.map(() => ok));
}

test('mode l2: the LAN is reached both ways, under the MAC of the parent and no other', async () => {
  await using wire = await Capture.start(outside, 'eth0', '-Q', 'in');
  for (const address of both(32)) expect(await ping(outside, address), address).toBe(0);
  await reaches(outside, both(32), true);
  await reaches(web, [...lanOf(outside), ...lanOf(remote)], true);
  for (const [at, address] of lanOf(outside).entries()) {
    expect((await ask(web, 'tcp', address, 80)).reply).toContain(`peer=${both(32)[at]},`);
  }
  expect(wire.lines.length).toBeGreaterThan(10);
  expect(wire.lines.filter((line) => line.includes(own.mac))).toEqual([]);
  const parent = /link\/ether (\S+)/.exec(await host.must('ip', '-o', 'link', 'show', 'eth0'))?.[1];
  expect(await outside.must('ip', 'neigh', 'show', both(32)[0])).toContain(parent);
  expect(await outside.must('ip', 'neigh', 'show', both(32)[1])).toContain(parent);
});

test('mode l2: its endpoints meet, the host keeps its traffic and stays out of reach', async () => {
  await reaches(db, both(32), true);
  await reaches(outside, lanOf(host), true);
  await reaches(host, lanOf(outside), true);
  await reaches(web, lanOf(host), false);
  await reaches(host, both(32), false);
});

test('mode l2: groups of the LAN are heard, and hear', async () => {
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

test('mode l2: policy judges the LAN, and nothing forged reaches it', async () => {
  using policy = new PolicyApi(host);
  await policy.apply({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'closed', namespace: 'lan' },
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: {} }] }] },
  } as unknown as Parameters<PolicyApi['apply']>[0]);
  await reaches(outside, both(32), false);
  await reaches(db, both(32), true);
  await policy.deleteAll();
  await reaches(outside, both(32), true);
  const raw = await RawSender.start(web);
  await using wire = await Capture.start(outside, 'eth0', '-Q', 'in', 'udp', 'port', String(attackPort));
  const before = await host.drops('SPOOFED');
  const udp = build.udp({ source: attackPort, destination: attackPort });
  const eth = build.eth({ source: own.mac, destination: build.broadcastMac });
  await raw.send([
    build.packet(eth, build.ipv4({ source: both(33)[0], destination: '255.255.255.255' }), udp),
    build.packet(eth, build.ipv4({ source: host.address4, destination: '255.255.255.255' }), udp),
    build.packet(
      build.eth({ source: '02:66:66:66:66:66', destination: build.broadcastMac }),
      build.ipv4({ source: both(32)[0], destination: '255.255.255.255' }),
      udp,
    ),
  ]);
  expect(await host.drops('SPOOFED')).toBe(before + 3);
  expect(wire.lines).toEqual([]);
});

test('a trace plays a packet of the LAN, and one to it', async () => {
  type Trace = { verdict: string; steps: { hook: string; action: string }[] };
  const trace = (from: string, to: string) =>
    host.vetch<Trace>('trace', '--from', from, '--to', to, '--port', '80/tcp');
  const inward = await trace(outside.address4, 'web');
  expect(inward.steps.map(({ hook, action }) => `${hook} ${action}`)).toContain('from_parent to_endpoint');
  const outward = await trace('web', '198.51.100.200');
  expect(outward.steps.map(({ action }) => action)).toContain('to_lan');
});

test('mode l2 keeps to itself a parent of its own, and each flag means what Docker says', async () => {
  await expect(create('second', 'eth0')).rejects.toMatchObject({ code: 'IN_USE' });
  await lab.router.ip(
    `link add lan1 type veth peer name lan1 netns ${host.place.holder}`,
    'link set lan1 master fabric up',
    `link add lan2 type veth peer name lan2 netns ${host.place.holder}`,
    'link set lan2 master fabric up',
  );
  await host.ip('link set lan1 up', 'link set lan2 up');
  await create('hermits', 'lan1', '--opt', 'ipvlan_flag=private');
  const [one] = await attach('hermits', 'one', 40);
  await attach('hermits', 'two', 41);
  await reaches(one, lanOf(outside), true);
  await reaches(one, both(41), false);
  await create('mirror', 'lan2', '--opt', 'ipvlan_flag=vepa');
  const [three] = await attach('mirror', 'three', 42);
  await attach('mirror', 'four', 43);
  await reaches(three, both(43), false);
  await three.ip('neigh flush dev eth0');
  await lab.router.ip('link set lan2 type bridge_slave hairpin on');
  await reaches(three, both(43), true);
});

test('modes l3 and l3s: a subnet behind the host, which the LAN routes to it', async () => {
  for (const [at, mode] of ['l3', 'l3s'].entries()) {
    const [net4, net6] = [`10.7${at}.0`, `fd00:7${at}:`];
    const subnets = ['--subnet', `${net4}.0/24`, '--subnet', `${net6}:/64`];
    const options = ['--driver', 'ipvlan', '--opt', 'parent=eth0', '--opt', `ipvlan_mode=${mode}`];
    await host.vetch('network', 'create', mode, ...options, ...subnets);
    const [one] = await host.attach(mode, `${mode}-one`);
    const [two] = await host.attach(mode, `${mode}-two`);
    await serve(one, 'tcp', 80);
    const addresses = [`${net4}.2`, `${net6}:2`];
    await reaches(two, addresses, true);
    await outside.ip(`route add ${net4}.0/24 via ${host.address4}`, `route add ${net6}:/64 via ${host.address6}`);
    await reaches(outside, addresses, true);
    const reply = await ask(one, 'tcp', outside.address4, 80);
    expect(reply.reply, mode).toContain(`peer=${addresses[0]},`);
    await Promise.all([
      reaches(one, lanOf(host), false),
      reaches(host, addresses, false),
      reaches(web, addresses, false),
    ]);
  }
});

test('a killed daemon takes nothing with it, and a device that comes and goes is followed', async () => {
  await host.stopDaemon('SIGKILL');
  await reaches(outside, both(32), true);
  await host.start();
  await reaches(outside, both(32), true);
  expect((await host.status()).drift).toBe(0);
  await host.vetch('endpoint', 'detach', 'lan/db');
  await reaches(outside, both(32), true);
  expect(await ping(outside, both(33)[0])).not.toBe(0);
  await host.stopDaemon();
  await host.uninstall();
  expect(await host.must('bpftool', 'net')).not.toMatch(/from_/);
  await reaches(outside, lanOf(host), true);
});
