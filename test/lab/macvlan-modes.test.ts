import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PolicyApi } from '../policy/policy-api.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { ask, ping, serve } from './talk.ts';
import type { AttachedEndpoint } from './vetch.ts';

let lab: Lab;
let host: Host;
let outside: Client;

const quick = ['--timeout', '0.5'];
const both = (at: number) => [`198.51.100.${at}`, `2001:db8:f::${at}`] as const;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  for (const machine of [outside, host]) await serve(machine, 'tcp', 80);
  for (const device of ['lan1', 'lan2', 'lan3']) await cable(device);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** One more device of the host on the same LAN, which has no address there. */
async function cable(device: string): Promise<void> {
  await lab.router.ip(
    `link add ${device} type veth peer name ${device} netns ${host.place.holder}`,
    `link set ${device} master fabric up`,
  );
  await host.ip(`link set ${device} up`);
}

async function macOf(device: string): Promise<string | undefined> {
  return /link\/ether (\S+)/.exec(await host.must('ip', '-o', 'link', 'show', device))?.[1];
}

function create(name: string, parent: string, ...flags: string[]): Promise<unknown> {
  const subnets = ['--subnet', '198.51.100.0/24', '--subnet', '2001:db8:f::/64'];
  const gateways = ['--gateway', '198.51.100.1', '--gateway', '2001:db8:f::1'];
  const options = parent === '' ? [] : ['--opt', `parent=${parent}`];
  return host.vetch('network', 'create', name, '--driver', 'macvlan', ...options, ...subnets, ...gateways, ...flags);
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

const lanOf = ({ address4, address6 }: Client | Host) => [address4, address6];

test('mode private: the LAN is reached, a neighbour is not', async () => {
  await create('hermits', 'eth0', '--opt', 'macvlan_mode=private');
  const [one] = await attach('hermits', 'one', 40);
  await attach('hermits', 'two', 41);
  await reaches(one, lanOf(outside), true);
  await reaches(outside, both(41), true);
  await reaches(one, both(41), false);
});

test('mode vepa: neighbours meet by the switch outside, and only if that sends back', async () => {
  await create('mirror', 'lan1', '--opt', 'macvlan_mode=vepa');
  const [one] = await attach('mirror', 'three', 42);
  await attach('mirror', 'four', 43);
  await reaches(one, lanOf(outside), true);
  await reaches(one, both(43), false);
  await one.ip('neigh flush dev eth0');
  await lab.router.ip('link set lan1 type bridge_slave hairpin on');
  await reaches(one, both(43), true);
  await reaches(outside, both(43), true);
  using policy = new PolicyApi(host);
  await policy.apply({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'deny', namespace: 'mirror' },
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  } as unknown as Parameters<PolicyApi['apply']>[0]);
  await reaches(one, both(43), false);
  await policy.deleteAll();
});

test('mode passthru: one endpoint has the parent for itself', async () => {
  const mac = await macOf('lan2');
  await create('alone', 'lan2', '--opt', 'macvlan_mode=passthru');
  const [one] = await attach('alone', 'five', 44);
  await reaches(one, lanOf(outside), true);
  await reaches(outside, both(44), true);
  const second = await host.container('six');
  await expect(host.vetch('endpoint', 'attach', 'alone', '--netns', second.netns)).rejects.toMatchObject({
    code: 'IN_USE',
  });
  await expect(create('other', 'lan2')).rejects.toMatchObject({ code: 'IN_USE' });
  await host.vetch('endpoint', 'detach', 'alone/five');
  expect(await macOf('lan2')).toBe(mac);
});

test('without a parent a network is internal: its endpoints meet, and nobody else', async () => {
  await create('inner', '');
  expect(await host.vetch('network', 'inspect', 'inner')).toMatchObject({ internal: true });
  const [one] = await attach('inner', 'seven', 45);
  const [two] = await attach('inner', 'eight', 46);
  await reaches(one, both(46), true);
  await reaches(two, lanOf(outside), false);
  await reaches(two, lanOf(host), false);
  await reaches(outside, both(45), false);
  await reaches(outside, lanOf(host), true);
});

test('with vetch.host-access the host and its endpoints reach each other, under their own addresses', async () => {
  await create('friendly', 'eth0', '--opt', 'vetch.host-access=true');
  const [one] = await attach('friendly', 'nine', 47);
  await reaches(one, lanOf(host), true);
  await reaches(host, both(47), true);
  for (const [at, address] of both(47).entries()) {
    expect((await ask(host, 'tcp', address, 80)).reply).toContain(`peer=${lanOf(host)[at]},`);
    expect(await ping(host, address)).toBe(0);
  }
  await reaches(one, lanOf(outside), true);
  await host.vetch(
    'network',
    'create',
    'routed',
    '--driver',
    'ipvlan',
    '--opt',
    'parent=eth0',
    '--opt',
    'ipvlan_mode=l3',
    ...['--opt', 'vetch.host-access=true', '--subnet', '10.71.0.0/24'],
  );
  const [two] = await host.attach('routed', 'routed');
  await reaches(two, [host.address4], true);
  await serve(two, 'tcp', 80);
  await reaches(host, ['10.71.0.2'], true);
  expect(await host.must('ip', 'route')).toContain('198.51.100.47 dev vetch0');
  await host.vetch('endpoint', 'detach', 'nine');
  expect(await host.must('ip', 'route')).not.toContain('198.51.100.47');
});

test('a killed daemon takes nothing with it, and finds everything as it was', async () => {
  const program = new URL('./programs/client.py', import.meta.url).pathname;
  const pace = ['--count', '30', '--interval', '0.1', '--timeout', '5'];
  const stream = outside.spawn('python3', program, 'tcp', both(40)[0], '80', ...pace);
  await host.stopDaemon('SIGKILL');
  await reaches(outside, both(41), true);
  await host.start();
  expect(await stream.ended(), stream.output).toBe(0);
  expect((await host.status()).drift).toBe(0);
});

test('a device on the parent that somebody removes or strips of its program is made again', async () => {
  const { hostIfname } = await host.vetch<AttachedEndpoint>('endpoint', 'inspect', 'one');
  const device = hostIfname.replace('vt', 'vm');
  await host.ip(`link del ${device}`);
  await until(async () => (await ask(outside, 'tcp', both(40)[0], 80, ...quick)).ok);
  await host.must('tc', 'qdisc', 'del', 'dev', device, 'clsact');
  await until(async () => (await host.must('tc', 'filter', 'show', 'dev', device, 'ingress')).includes('from_lan'));
  await reaches(outside, both(40), true);
  const forwarding = `/proc/sys/net/ipv4/conf/${device}/forwarding`;
  await host.must('sh', '-c', `echo 1 > ${forwarding}`);
  await host.ip('link add wake type veth peer name wakep', 'link del wake');
  await until(async () => (await host.must('cat', forwarding)).trim() === '0');
});

test('when the parent goes its endpoints say so, and are back when it is', async () => {
  await create('far', 'lan3');
  const [one] = await attach('far', 'ten', 48);
  await reaches(outside, both(48), true);
  await lab.router.ip('link del lan3');
  await until(async () =>
    (await host.status()).warnings.some((line) => /far\/ten|ten.*does not reach its LAN/.test(line)),
  );
  await reaches(one, lanOf(outside), false);
  expect(await host.drops('NO_PARENT')).toBeGreaterThan(0);
  await expect(attach('far', 'eleven', 49)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await cable('lan3');
  await until(async () => (await ask(outside, 'tcp', both(48)[0], 80, ...quick)).ok);
  await until(async () => !(await host.status()).warnings.some((line) => line.includes('LAN')));
  await reaches(one, lanOf(outside), true);
});

test('a parent that cannot be one is refused with what to do', async () => {
  await expect(create('x', 'nothing0')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(create('x', 'lo')).rejects.toMatchObject({ code: 'INVALID' });
  await expect(create('x', 'vetch0')).rejects.toMatchObject({ code: 'INVALID' });
  await host.ip('link add br9 type bridge', 'link set lan2 master br9');
  await expect(create('x', 'lan2', '--opt', 'macvlan_mode=bridge')).rejects.toMatchObject({ code: expect.any(String) });
  await host.ip('link set lan2 nomaster', 'link del br9');
  expect((await host.vetch<{ name: string }[]>('network', 'ls')).map(({ name }) => name)).not.toContain('x');
});

test('uninstalling leaves nothing in the kernel', async () => {
  await host.stopDaemon();
  await host.uninstall();
  expect(await host.must('ip', '-o', 'link')).not.toMatch(/vetch0|v[tm][0-9a-f]{11}/);
  expect(await host.must('bpftool', 'net')).not.toMatch(/from_/);
  await reaches(outside, lanOf(host), true);
});

async function until(check: () => Promise<boolean>, seconds = 10): Promise<void> {
  const end = performance.now() + 1000 * seconds;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${seconds} s`);
    await sleep(100);
  }
}
