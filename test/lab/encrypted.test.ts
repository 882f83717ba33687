import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import type { NetworkView } from '../../src/api/schemas/network.ts';
import type { NodeView } from '../../src/api/schemas/node.ts';
import { WireguardControl } from '../../src/netlink/wireguard-control.ts';
import * as build from '../kernel/packet/build.ts';
import { Api } from './api.ts';
import { ClusterLab } from './cluster-lab.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import type { Machine } from './machine.ts';
import { type Background, slowness } from './process.ts';
import { RawSender } from './raw-sender.ts';
import { ask, ping, serve } from './talk.ts';
import { WireTap } from './wire-tap.ts';

// Three hosts with a network that is encrypted and one that is not. The wire between them is watched from before the first
// packet to after the last one, and searched for what every payload holds.

const programs = new URL('./programs/', import.meta.url).pathname;
const patient = { timeout: 30_000 * slowness, interval: 200 };
const quick = ['--timeout', '0.5'];
/** In every payload of the network that is encrypted, and of the one that is not. */
const [secret, open] = ['sEcReTmArK', 'oPeNmArK'];
const port = '97';
/** What an uplink of 1500 bytes leaves. */
const mtu = 1370;

const wireguard = WireguardControl.open();
const lacking = 'this kernel has no WireGuard; those of test/kernels do';

interface Placed {
  readonly host: Host;
  readonly container: Container;
  readonly addresses: readonly [v4: string, v6: string];
  readonly endpoint: EndpointView;
}

let cluster: ClusterLab;
let tap: WireTap;
let placed: readonly Placed[];
/** On the network that is not encrypted. */
let plain: readonly Placed[];

beforeAll(async () => {
  if (!wireguard) return;
  wireguard.close();
  cluster = await ClusterLab.create(['h1', 'h2', 'h3'], { members: 1 });
  tap = await WireTap.start(cluster.lab.router);
  const [h1, h2, h3] = cluster.hosts;
  const subnets = ['--subnet', '10.100.0.0/24', '--subnet', 'fd00:100::/64'];
  await h1.vetch('network', 'create', 'app', '--driver', 'overlay', '--opt', 'encrypted', ...subnets);
  const others = ['--subnet', '10.101.0.0/24', '--subnet', 'fd00:101::/64'];
  await h1.vetch('network', 'create', 'plain', '--driver', 'overlay', ...others);
  for (const host of [h2, h3])
    await vi.waitUntil(() => host.vetch<unknown[]>('network', 'ls').then((all) => all.length === 2), patient);
  const first = await place(h1, 'app', 201);
  // It asks from before there is anybody to answer.
  const asking = talk(first.container, 'beat', '10.100.0.202', secret);
  placed = [first, await place(h2, 'app', 202), await place(h3, 'app', 203)];
  plain = [await place(h1, 'plain', 201), await place(h2, 'plain', 202)];
  for (const host of [h1, h2, h3]) await vi.waitUntil(() => listed(host).then((all) => all.length === 5), patient);
  await asking.until(/ready/, 60);
  await finish(asking);
});
afterAll(async () => {
  await tap?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

async function place(host: Host, network: 'app' | 'plain', at: number): Promise<Placed> {
  const number = network === 'app' ? 100 : 101;
  const addresses = [`10.${number}.0.${at}`, `fd00:${number}::${at}`] as const;
  const name = `${network}-${at}`;
  const ips = addresses.flatMap((address) => ['--ip', address]);
  const [container] = await host.attach(network, name, '--label', `app=${name}`, ...ips);
  const endpoint = await host.vetch<EndpointView>('endpoint', 'inspect', name);
  await container.spawn('python3', `${programs}marked.py`, 'serve', port).until(/ready/, 30);
  await serve(container, 'tcp', 80);
  return { host, container, addresses, endpoint };
}

const listed = (host: Host) => host.vetch<EndpointView[]>('endpoint', 'ls');
const nodes = async (host: Host) => {
  return new Map((await host.vetch<NodeView[]>('node', 'ls')).map((node) => [node.name, node]));
};
const keysOf = async (host: Host, of: Host) => {
  return ((await nodes(host)).get(of.name)?.wireguard ?? []).map(({ publicKey }) => publicKey);
};
const warnings = async (host: Host) => (await host.status()).warnings;

function at(index: number, among = placed): Placed {
  const found = among[index];
  if (!found) throw new Error(`no container ${index}`);
  return found;
}

function talk(machine: Machine, role: 'beat' | 'stream', address: string, mark: string): Background {
  return machine.spawn('python3', `${programs}marked.py`, role, address, port, mark);
}

interface Told {
  readonly sent: number;
  readonly lost: number;
}

/** Has a talk come to its end, and gives what became of it. */
async function finish(talking: Background): Promise<Told> {
  talking.child.stdin?.write('enough\n');
  const [text] = await talking.until(/\{.*\}/, 60);
  return JSON.parse(text) as Told;
}

async function marked(machine: Machine, role: 'sizes' | 'bulk', address: string, mark: string, most: number) {
  const command = ['python3', `${programs}marked.py`, role, address, port, mark, String(most)];
  const { stdout, stderr } = await machine.execWith({ timeoutSeconds: 60 }, ...command);
  if (stdout === '') throw new Error(`${machine.name}: ${command.slice(2).join(' ')} said nothing: ${stderr}`);
  return JSON.parse(stdout) as unknown;
}

/** The mark as ping wants its pattern: repeated, so that it is found in each. */
const pattern = (mark: string) => ['-p', Buffer.from(mark).toString('hex'), '-s', '100'];

function* pairs(): Iterable<readonly [Placed, Placed]> {
  for (const one of placed) for (const other of placed) if (one !== other) yield [one, other];
}

/** Every two still talk, both ways. */
async function everybodyTalks(): Promise<void> {
  for (const [from, to] of pairs()) {
    for (const address of to.addresses) {
      expect(await ping(from.container, address, ...pattern(secret)), `${from.container.name} to ${address}`).toBe(0);
    }
  }
}

test('the search finds what is not encrypted', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [from, to] = [at(0, plain), at(1, plain)];
  for (const address of to.addresses) {
    expect(await ping(from.container, address, ...pattern(open)), address).toBe(0);
    expect(await marked(from.container, 'bulk', address, open, 1_000_000), address).toBe(1_000_000);
  }
  // Both ways and over both families, in by one port and out by another: 128 where all go in trains of 64 KB.
  await expect.poll(() => tap.count(open), patient).toBeGreaterThan(100);
  expect(tap.count(secret)).toBe(0);
});

test('containers of every two hosts talk, over both families', async ({ skip }) => {
  skip(!wireguard, lacking);
  await everybodyTalks();
  for (const [from, to] of pairs()) {
    for (const [family, address] of to.addresses.entries()) {
      const { ok, reply } = await ask(from.container, 'tcp', address, 80);
      expect([ok, reply?.startsWith(to.container.name)], `${from.container.name} to ${address}`).toEqual([true, true]);
      expect(reply).toContain(`peer=${from.addresses[family]},`);
    }
  }
  const { mtu: told } = await at(0).host.vetch<NetworkView>('network', 'inspect', 'app');
  expect(told).toBe(mtu);
});

test('bulk transfers go through, and packets of every size, whole ones and in fragments, and none that is too big', async ({
  skip,
}) => {
  skip(!wireguard, lacking);
  const [from, to] = [at(0), at(1)];
  for (const address of to.addresses) {
    expect(await marked(from.container, 'bulk', address, secret, 1_000_000), address).toBe(1_000_000);
    const headers = address.includes(':') ? 48 : 28;
    expect(await marked(from.container, 'sizes', address, secret, mtu - headers), address).toEqual([]);
    const whole = (bytes: number) => ping(from.container, address, '-M', 'do', '-s', String(bytes - headers));
    expect(await whole(mtu), address).toBe(0);
    expect(await whole(mtu + 1), address).not.toBe(0);
    expect(await ping(from.container, address, ...pattern(secret), '-s', '4000'), address).toBe(0);
  }
});

test('groups reach the members of the network on all hosts, and nobody else', async ({ skip }) => {
  skip(!wireguard, lacking);
  const all = [...placed, ...plain].map(({ container }) => container);
  for (const [group, at0] of [
    ['224.0.0.251', '5353'],
    ['ff02::fb', '5354'],
    ['10.100.0.255', '5356'],
  ] as const) {
    const listen = ['python3', `${programs}group.py`, 'listen', group, at0, 'eth0'];
    for (const machine of all) await machine.spawn(...listen, machine.name).until(/ready/, 30);
    const answer = await at(1).container.must('python3', `${programs}group.py`, 'ask', group, at0, 'eth0');
    expect((JSON.parse(answer) as string[]).sort(), group).toEqual(['app-201', 'app-202', 'app-203']);
  }
});

test('what comes in the clear for it is dropped, however well it is made', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [victim, other] = [at(0), at(1)];
  const outside = cluster.lab.client('outside');
  const raw = await RawSender.start(outside);
  expect(await ping(outside, victim.host.address4)).toBe(0);
  const neighbour = await outside.must('ip', 'neigh', 'show', victim.host.address4);
  const mac = /lladdr (\S+)/.exec(neighbour)?.[1] ?? '';
  const frame = build.packet(
    build.eth({ source: other.endpoint.mac, destination: victim.endpoint.mac }),
    build.ipv4({ source: other.addresses[0], destination: victim.addresses[0] }),
    build.udp({ source: 1000, destination: Number(port) }),
    build.payload('forged'),
  );
  const header = Buffer.alloc(8);
  header.writeUInt32BE(0x0800_0000, 0);
  // The first network of the cluster has its first number.
  header.writeUInt32BE(2048 * 256, 4);
  const forged = build.packet(
    build.eth({ source: '02:66:66:66:66:66', destination: mac }),
    build.ipv4({ source: other.host.address4, destination: victim.host.address4 }),
    build.udp({ source: 40_000, destination: 4789 }),
    build.payload(Buffer.concat([header, frame])),
  );
  const before = await victim.host.drops('NOT_ENCRYPTED');
  await raw.send([forged, forged, forged]);
  await expect.poll(() => victim.host.drops('NOT_ENCRYPTED'), patient).toBe(before + 3);
});

test('policy holds between hosts', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [subject, friend, other] = [at(0), at(1), at(2)];
  const text = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: app}
spec:
  podSelector: {matchLabels: {app: app-201}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app: app-202}}}]}]`;
  const reach = async (from: Placed, family: 0 | 1) => {
    return (await ask(from.container, 'tcp', subject.addresses[family], 80, ...quick)).ok;
  };
  await other.host.must('sh', '-c', `cat > /run/guard.yaml <<E\n${text}\nE`);
  await other.host.vetch('policy', 'apply', '-f', '/run/guard.yaml');
  for (const family of [0, 1] as const) {
    await expect.poll(() => reach(other, family), patient).toBe(false);
    await expect.poll(() => reach(friend, family), patient).toBe(true);
  }
  await other.host.vetch('policy', 'delete', '-n', 'app', 'guard');
  await expect.poll(() => reach(other, 0), patient).toBe(true);
});

test('a host changes its key under traffic, and no packet is lost', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [one, two, three] = [at(0), at(1), at(2)];
  const talks = [
    talk(two.container, 'beat', one.addresses[0], secret),
    talk(one.container, 'beat', two.addresses[1], secret),
    talk(three.container, 'beat', one.addresses[1], secret),
    talk(two.container, 'stream', three.addresses[1], secret),
  ];
  for (const talking of talks) await talking.until(/ready/, 30);
  const [before = ''] = await keysOf(one.host, one.host);
  const changing = await rotate(one.host);
  const again = rotate(one.host);
  await expect(again).rejects.toMatchObject({ code: 'IN_USE' });
  expect(changing).toMatchObject({ name: 'h1', rotating: true, wireguard: [{ publicKey: before }, {}] });
  const after = changing.wireguard?.[1]?.publicKey ?? '';
  for (const { host } of placed) await expect.poll(() => keysOf(host, one.host), patient).toEqual([after]);
  // All at one moment, as well.
  await Promise.all(placed.map(({ host }) => rotate(host)));
  for (const { host } of placed) {
    await expect.poll(async () => (await nodes(one.host)).get(host.name)?.rotating, patient).toBe(false);
  }
  for (const talking of talks) {
    const { sent, lost } = await finish(talking);
    expect(sent).toBeGreaterThan(100);
    expect(lost, talking.output).toBe(0);
  }
  expect(await Promise.all(placed.map(({ host }) => devicesOf(host)))).toEqual([
    ['vetchwg0'],
    ['vetchwg1'],
    ['vetchwg1'],
  ]);
  await everybodyTalks();
});

/** By the API itself: emulated, a command takes longer to start than a change of keys lasts. */
async function rotate(host: Host): Promise<NodeView> {
  using api = new Api(host);
  return await api.call<NodeView>('POST', '/nodes/rotate-key');
}

/** Has what a killed daemon told stay until it is back: emulated, it takes longer to start than its lease lasts. */
async function outliveLease({ name }: Host): Promise<void> {
  expect(
    await cluster.servers.outliveLeases(`/vetch/lab/nodes/${name}`, `/vetch/lab/endpoints/${name}/`),
  ).toBeGreaterThan(1);
}

const devicesOf = async (host: Host) => {
  const links = await host.must('ip', '-o', 'link', 'show', 'type', 'wireguard');
  return [...links.matchAll(/vetchwg\d/g)].map(([name]) => name);
};

test.for([
  ['that changes its key', 'at once', 0],
  ['that changes its key', 'while both are in use', 1_500],
  ['that follows', 'while it does', 500],
] as const)('a daemon of a host %s that is killed, %s, goes on when it is back', async ([which, , delay], { skip }) => {
  skip(!wireguard, lacking);
  const [one, two] = [at(0), at(1)];
  const talks = [
    talk(two.container, 'beat', one.addresses[0], secret),
    talk(one.container, 'beat', two.addresses[1], secret),
  ];
  for (const talking of talks) await talking.until(/ready/, 30);
  const changing = await rotate(one.host);
  const after = changing.wireguard?.[1]?.publicKey ?? '';
  await new Promise((resolve) => setTimeout(resolve, delay));
  const killed = which === 'that follows' ? two.host : one.host;
  await killed.stopDaemon('SIGKILL');
  await outliveLease(killed);
  await cluster.start(killed.name);
  for (const { host } of [one, two]) await expect.poll(() => keysOf(host, one.host), patient).toEqual([after]);
  for (const talking of talks) {
    const { sent, lost } = await finish(talking);
    expect(sent).toBeGreaterThan(100);
    expect(lost, talking.output).toBe(0);
  }
});

test('a device that somebody deletes is made again, with its peers, and whatever is in its way goes', async ({
  skip,
}) => {
  skip(!wireguard, lacking);
  const [one, two] = [at(0), at(1)];
  const [device = ''] = await devicesOf(one.host);
  const talking = talk(one.container, 'beat', two.addresses[0], secret);
  await talking.until(/ready/, 30);
  const { drift } = await one.host.status();
  await one.host.must('ip', 'link', 'delete', device);
  await expect.poll(() => one.host.exec('ip', 'link', 'show', device).then(({ status }) => status), patient).toBe(0);
  await expect.poll(() => ping(one.container, two.addresses[1], ...pattern(secret)), patient).toBe(0);
  await finish(talking);
  await expect.poll(async () => (await one.host.status()).drift, patient).toBeGreaterThan(drift);
  await one.host.ip(`address add 10.44.0.1/24 dev ${device}`);
  const addresses = () => one.host.must('ip', '-o', 'address', 'show', 'dev', device);
  await expect.poll(addresses, patient).toBe('');
  await one.host.ip(`link set ${device} down`);
  await expect.poll(() => ping(one.container, two.addresses[1], ...pattern(secret)), patient).toBe(0);
  await everybodyTalks();
});

test('to a host that is no peer nothing is sent, and it is one again', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [one, two] = [at(0), at(1)];
  const [device = ''] = await devicesOf(one.host);
  const talking = talk(one.container, 'beat', two.addresses[0], secret);
  await talking.until(/ready/, 30);
  const without = ['node', '--no-warnings', `${programs}without-peers.ts`, device];
  expect((await one.host.execWith({ timeoutSeconds: 60 }, ...without)).stdout).toBe('removed 2\n');
  expect(await ping(one.container, two.addresses[1], ...pattern(secret))).not.toBe(0);
  // Some change of the host's has it looked over.
  await one.host.ip('link add other0 type dummy', 'link delete other0');
  await expect.poll(() => ping(one.container, two.addresses[1], ...pattern(secret)), patient).toBe(0);
  await finish(talking);
});

test('a port that another socket has is told of, and nothing leaves until it is free', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [one, two] = [at(0), at(1)];
  await two.host.stopDaemon();
  for (const device of await devicesOf(two.host)) await two.host.ip(`link delete ${device}`);
  const taker = two.host.spawn('python3', '-c', taking);
  await taker.until(/ready/, 30);
  await cluster.start('h2');
  const told = /another socket of this host has UDP port 5187[12]: end what/;
  await expect.poll(() => warnings(two.host), patient).toContainEqual(expect.stringMatching(told));
  await expect.poll(() => warnings(one.host), patient).toContainEqual(expect.stringMatching(/^host h2 has no key/));
  expect(await ping(two.container, one.addresses[0], ...pattern(secret))).not.toBe(0);
  expect(await ping(one.container, two.addresses[0], ...pattern(secret))).not.toBe(0);
  for (const { host } of [one, two]) expect(await host.drops('NO_KEY')).toBeGreaterThan(0);
  const refused = await two.host.container('late');
  await expect(two.host.vetch('endpoint', 'attach', 'app', '--netns', refused.netns)).rejects.toMatchObject({
    ...{ code: 'UNSUPPORTED', message: expect.stringMatching(/another socket of this host has UDP port/) },
  });
  await taker.stop();
  await two.host.ip('link add other0 type dummy', 'link delete other0');
  await expect.poll(() => ping(two.container, one.addresses[0], ...pattern(secret)), patient).toBe(0);
  await everybodyTalks();
  await expect.poll(() => warnings(one.host), patient).toEqual([]);
});

const taking = `
import socket, time
for port in (51871, 51872):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        taken = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind((address, port))
        globals()[f"{port}{address}"] = taken
print("ready", flush=True)
time.sleep(100000)
`;

test('the network beside it that is not encrypted still works', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [from, to] = [at(0, plain), at(1, plain)];
  for (const address of to.addresses) expect(await ping(from.container, address, ...pattern(open)), address).toBe(0);
});

test('a daemon that is stopped, or removed with all that it made, leaves nothing in the clear', async ({ skip }) => {
  skip(!wireguard, lacking);
  const [one, two] = [at(0), at(1)];
  const talking = talk(one.container, 'beat', two.addresses[0], secret);
  await talking.until(/ready/, 30);
  await one.host.stopDaemon();
  expect(await ping(one.container, two.addresses[1], ...pattern(secret))).toBe(0);
  await one.host.uninstall();
  expect(await one.host.must('ip', '-o', 'link')).not.toContain('vetch');
  await finish(talking);
  await cluster.start('h1');
  await expect.poll(() => ping(one.container, two.addresses[1], ...pattern(secret)), patient).toBe(0);
});

test('nothing of its payload has passed the wire in the clear', async ({ skip }) => {
  skip(!wireguard, lacking);
  expect(tap.count(open)).toBeGreaterThan(100);
  expect(tap.count(secret)).toBe(0);
  expect(await tap.stop()).toBe(0);
});
