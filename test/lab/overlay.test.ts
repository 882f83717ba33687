import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { EndpointView } from '../../src/api/schemas/endpoint.ts';
import { ClusterLab, patient } from './cluster-lab.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import type { Machine } from './machine.ts';
import { ask, ping, serve } from './talk.ts';

// What goes from host to host in a tunnel: three hosts with one network, a container on each, and one of another network.

const programs = new URL('./programs/', import.meta.url).pathname;
/** More than one TCP window of the smallest packets, less than a slow machine minds. */
const bulk = 3_000_000;
const quick = ['--timeout', '0.5'];

interface Placed {
  readonly host: Host;
  readonly container: Container;
  readonly addresses: readonly [v4: string, v6: string];
  readonly hostIfname: string;
}

let cluster: ClusterLab;
let placed: readonly Placed[];
let stranger: Container;
/** Containers stay where they are; those of one name are made once. */
let made = 0;

beforeAll(async () => {
  cluster = await ClusterLab.create();
  const [h1, h2, h3] = cluster.hosts;
  const subnets = ['--subnet', '10.100.0.0/24', '--subnet', 'fd00:100::/64'];
  await h1.vetch('network', 'create', 'app', '--driver', 'overlay', ...subnets);
  await h1.vetch('network', 'create', 'other', '--driver', 'overlay', '--ipv6');
  for (const host of [h2, h3]) {
    await vi.waitUntil(() => host.vetch<unknown[]>('network', 'ls').then((all) => all.length === 2), patient);
  }
  placed = await Promise.all([h1, h2, h3].map((host) => place(host, `on-${host.name}`)));
  [stranger] = await h2.attach('other', 'stranger');
  for (const { container } of placed) {
    await serve(container, 'tcp', 80);
    await serve(container, 'udp', 80);
    await spawnReady(container, 'bulk.py', 'serve', '91');
  }
  for (const host of cluster.hosts) await vi.waitUntil(() => listed(host).then((all) => all.length === 4), patient);
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

async function place(host: Host, name: string, ...flags: string[]): Promise<Placed> {
  const [container, { addresses, hostIfname }] = await host.attach('app', name, '--label', `app=${name}`, ...flags);
  const [v4 = '', v6 = ''] = addresses.map((address) => address.slice(0, address.indexOf('/')));
  return { host, container, hostIfname, addresses: [v4, v6] };
}

async function spawnReady(machine: Machine, program: string, ...args: string[]): Promise<void> {
  await machine.spawn('python3', `${programs}${program}`, ...args).until(/ready/);
}

async function python(machine: Machine, program: string, ...args: string[]): Promise<string> {
  return (await machine.must('python3', `${programs}${program}`, ...args)).trim();
}

const listed = async (host: Host) => (await host.vetch<EndpointView[]>('endpoint', 'ls')).map(({ name }) => name);

/** Each container with each other one, both ways. */
function* pairs(): Iterable<readonly [Placed, Placed]> {
  for (const one of placed) for (const other of placed) if (one !== other) yield [one, other];
}

function at(index: number): Placed {
  const found = placed[index];
  if (!found) throw new Error(`no container ${index}`);
  return found;
}

test('containers of every two hosts talk, over both families', async () => {
  for (const [from, to] of pairs()) {
    for (const address of to.addresses) {
      const what = `${from.container.name} to ${address}`;
      expect(await ping(from.container, address), what).toBe(0);
      for (const transport of ['tcp', 'udp'] as const) {
        const { ok, reply } = await ask(from.container, transport, address, 80);
        expect([ok, reply?.startsWith(to.container.name)], `${what} ${transport}`).toEqual([true, true]);
        expect(reply).toContain(`peer=${from.addresses[address.includes(':') ? 1 : 0]},`);
      }
    }
  }
});

test('bulk transfers go through, and packets of every size: whole ones, in fragments, and none that is too big', async () => {
  const [from, to] = [at(0), at(1)];
  for (const address of to.addresses) {
    expect(await python(from.container, 'bulk.py', 'send', address, '91', String(bulk)), address).toBe(String(bulk));
    const headers = address.includes(':') ? 48 : 28;
    const whole = (bytes: number) => ping(from.container, address, '-M', 'do', '-s', String(bytes - headers));
    expect(await whole(1450), address).toBe(0);
    expect(await whole(1451), address).not.toBe(0);
    expect(await ping(from.container, address, '-s', '4000'), address).toBe(0);
  }
});

test('a sender whose device takes more is told how much goes through the tunnel', async () => {
  const [from, to] = [at(0), at(1)];
  const resize = async (mtu: number) => {
    await from.host.ip(`link set ${from.hostIfname} mtu ${mtu}`);
    await from.container.ip(`link set eth0 mtu ${mtu}`);
  };
  await resize(1500);
  try {
    for (const address of to.addresses) {
      const size = String(1500 - (address.includes(':') ? 48 : 28));
      const { stdout, stderr } = await from.container.exec(
        ...['ping', '-n', '-c', '2', '-i', '0.3', '-W', '1', '-M', 'do', '-s', size, address],
      );
      expect(stdout + stderr, address).toMatch(/mtu ?= ?1450/);
      expect(await python(from.container, 'bulk.py', 'send', address, '91', String(bulk))).toBe(String(bulk));
    }
  } finally {
    await resize(1450);
  }
});

test('groups reach the members of the network on all hosts, and nobody else', async () => {
  const all = [...placed.map(({ container }) => container), stranger];
  for (const [group, port] of [
    ['224.0.0.251', '5353'],
    ['ff02::fb', '5354'],
    ['10.100.0.255', '5356'],
  ] as const) {
    for (const machine of all) await spawnReady(machine, 'group.py', 'listen', group, port, 'eth0', machine.name);
    const answered = JSON.parse(await python(at(1).container, 'group.py', 'ask', group, port, 'eth0')) as string[];
    expect(answered.sort(), group).toEqual(['on-h1', 'on-h2', 'on-h3']);
  }
});

test('another network does not reach it, on one host or two', async () => {
  for (const { addresses } of placed) {
    for (const address of addresses)
      expect((await ask(stranger, 'tcp', address, 80, ...quick)).ok, address).toBe(false);
  }
});

const policy = (direction: 'Ingress' | 'Egress', subject: string, peer: string) => `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: app}
spec:
  podSelector: {matchLabels: {app: ${subject}}}
  policyTypes: [${direction}]
  ${direction === 'Ingress' ? 'ingress' : 'egress'}:
  - ${direction === 'Ingress' ? 'from' : 'to'}: [{podSelector: {matchLabels: {app: ${peer}}}}]`;

test.each(['Ingress', 'Egress'] as const)('policy holds between hosts: %s', async (direction) => {
  const [subject, friend, other] = [at(0), at(1), at(2)];
  const reach = async (peer: Placed, address: 0 | 1) => {
    const [from, to] = direction === 'Ingress' ? [peer, subject] : [subject, peer];
    return (await ask(from.container, 'tcp', to.addresses[address], 80, ...quick)).ok;
  };
  // Applied on a host that neither of them is on.
  const text = policy(direction, subject.container.name, friend.container.name);
  await other.host.must('sh', '-c', `cat > /run/guard.yaml <<E\n${text}\nE`);
  await other.host.vetch('policy', 'apply', '-f', '/run/guard.yaml');
  for (const family of [0, 1] as const) {
    await expect.poll(() => reach(other, family), patient).toBe(false);
    expect(await reach(friend, family)).toBe(true);
  }
  // Labels of another host's endpoint are heeded at once.
  await other.host.vetch('endpoint', 'label', 'app/on-h3', 'app=on-h2');
  await expect.poll(() => reach(other, 0), patient).toBe(true);
  await other.host.vetch('endpoint', 'label', 'app/on-h3', 'app=on-h3');
  await expect.poll(() => reach(other, 0), patient).toBe(false);
  await friend.host.vetch('policy', 'delete', '-n', 'app', 'guard');
  await expect.poll(() => reach(other, 0), patient).toBe(true);
});

test('what is on another host is told by its name, and explained as its own host decides', async () => {
  const [subject, friend, other] = [at(0), at(1), at(2)];
  await friend.host.must('sh', '-c', `cat > /run/guard.yaml <<E\n${policy('Ingress', 'on-h1', 'on-h2')}\nE`);
  await friend.host.vetch('policy', 'apply', '-f', '/run/guard.yaml');
  const ends = ['--from', 'app/on-h3', '--to', 'app/on-h1'];
  for (const { host } of [subject, other]) {
    const explain = async () => {
      const query = [...ends, '--port', '80'];
      return (await host.vetch<{ ingress: unknown }>('policy', 'explain', ...query)).ingress;
    };
    await expect.poll(explain, patient).toMatchObject({ verdict: 'deny', decidedBy: { name: 'guard' } });
  }
  expect((await ask(other.container, 'tcp', subject.addresses[0], 80, ...quick)).ok).toBe(false);
  const vetch = new URL('../../bin/vetch', import.meta.url).pathname;
  const flows = [
    '--socket',
    subject.host.socket,
    'flows',
    '--last',
    '9',
    '--reason',
    'POLICY_DENIED',
    ...ends,
    '--json',
  ];
  const told = () => subject.host.must(vetch, ...flows);
  await expect.poll(told, patient).toMatch(/"endpoint":"on-h3".*"endpoint":"on-h1".*"name":"guard"/);
  const identities = await subject.host.vetch<{ endpoints: string[] }[]>('identity', 'ls');
  expect(identities.map(({ endpoints }) => endpoints)).toContainEqual(expect.arrayContaining(['on-h3']));
  await friend.host.vetch('policy', 'delete', '-n', 'app', 'guard');
  await expect
    .poll(async () => (await ask(other.container, 'tcp', subject.addresses[0], 80, ...quick)).ok, patient)
    .toBe(true);
});

test('a container that moves to another host keeps its address, and is reached there within a second', async () => {
  const before = await place(at(1).host, `mover-${made++}`);
  const asking = at(0).container;
  await serve(before.container, 'tcp', 80);
  expect((await ask(asking, 'tcp', before.addresses[0], 80)).ok).toBe(true);
  await before.host.vetch('endpoint', 'detach', `app/${before.container.name}`);
  const ips = before.addresses.flatMap((address) => ['--ip', address]);
  const after = await place(at(2).host, `mover-${made++}`, ...ips);
  expect(after.addresses).toEqual(before.addresses);
  await serve(after.container, 'tcp', 80);
  const late = Date.now() + 1_000;
  for (const address of after.addresses) {
    let reply = await ask(asking, 'tcp', address, 80, ...quick);
    while (!reply.ok && Date.now() < late) reply = await ask(asking, 'tcp', address, 80, ...quick);
    expect(reply.reply, address).toContain(after.container.name);
  }
  await after.host.vetch('endpoint', 'detach', `app/${after.container.name}`);
});

test('without etcd what is known goes on, and containers that are attached then talk on their host', async () => {
  cluster.pauseEtcd();
  try {
    expect(await ping(at(0).container, at(1).addresses[0])).toBe(0);
    const late = await place(at(0).host, `late-${made++}`);
    expect(await ping(late.container, at(0).addresses[0])).toBe(0);
    await at(0).host.stopDaemon();
    await cluster.start('h1');
    for (const address of at(1).addresses) expect(await ping(at(0).container, address)).toBe(0);
    cluster.resumeEtcd();
    await expect.poll(() => ping(at(2).container, late.addresses[0]), patient).toBe(0);
    await at(0).host.vetch('endpoint', 'detach', `app/${late.container.name}`);
  } finally {
    cluster.resumeEtcd();
  }
});

test('an upgrade of a daemon, or its death, stops nobody; a host that is gone is not sent to after its lease', async () => {
  const [one, two] = [at(0), at(1)];
  await two.host.stopDaemon();
  expect(await ping(one.container, two.addresses[0])).toBe(0);
  await cluster.start('h2');
  expect(await ping(one.container, two.addresses[1])).toBe(0);
  await two.host.stopDaemon('SIGKILL');
  expect(await ping(one.container, two.addresses[0])).toBe(0);
  const noEndpoint = await one.host.drops('NO_ENDPOINT');
  await expect.poll(() => listed(one.host), patient).not.toContain('on-h2');
  expect(await ping(one.container, two.addresses[0])).not.toBe(0);
  expect(await one.host.drops('NO_ENDPOINT')).toBeGreaterThan(noEndpoint);
  await cluster.start('h2');
  await expect.poll(() => ping(one.container, two.addresses[0]), patient).toBe(0);
});
