import { afterAll, beforeAll, expect, test } from 'vitest';
import { controlMaps, networkState } from '../reconcile/kernel-state.ts';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { run, slowness } from './process.ts';
import { serve } from './talk.ts';

// What a user is told of a mistake: one line with a code and a remedy, and nothing is left of the attempt.

let lab: Lab;
let host: Host;
let sandbox: Container;
let before: string;

/** Everything that an attempt could have changed. */
async function everything(): Promise<string> {
  const lists = [
    ['network', 'ls'],
    ['endpoint', 'ls'],
    ['port', 'ls'],
    ['deny', 'ls'],
    ['identity', 'ls'],
  ];
  return [
    ...(await Promise.all(lists.map((list) => host.vetch(...list)))).map((list) => JSON.stringify(list)),
    await networkState(host),
    await controlMaps(host),
    await sandbox.must('ip', 'address'),
    await sandbox.must('ip', 'route', 'show', 'table', 'all'),
    await host.must('ls', `/proc/${host.daemon.pid}/fd`),
  ].join('\n');
}

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host();
  await host.vetch('network', 'create', 'shop', '--subnet', '10.88.0.0/24', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'inside', '--subnet', '10.89.0.0/24', '--internal');
  await host.attach('shop', 'web', '--ip', '10.88.0.7', '--publish', '8080:80', '--publish', '5353:53/udp');
  sandbox = await host.container('box');
  await serve(host, 'tcp', 9090, '0.0.0.0');
  before = await everything();
});
afterAll(async () => {
  await lab?.[Symbol.asyncDispose]();
});

const attach = ['endpoint', 'attach', 'shop', '--netns', '/run/netns/box'];
const portTaken = (port: number, address = '0.0.0.0') =>
  `Bind for ${address}:${port} failed: port is already allocated`;

/** What is typed, the code that it is refused with, and words of the message. */
const refusals: [command: string[], code: string, words: string | RegExp][] = [
  [['network', 'create', 'n', '--subnet', '10.90.0.0/33'], 'INVALID', '10.90.0.0/33'],
  [['network', 'create', 'n', '--subnet', 'ten.dot'], 'INVALID', 'ten.dot'],
  [['network', 'create', 'n', '--subnet', '10.90.0.0/24', '--gateway', '10.91.0.1'], 'INVALID', '10.91.0.1'],
  [['network', 'create', 'n', '--subnet', '10.90.0.0/24', '--ip-range', '10.91.0.0/25'], 'INVALID', '10.91.0.0/25'],
  [['network', 'create', 'n', '--subnet', '10.88.0.128/25'], 'SUBNET_OVERLAP', 'shop'],
  [['network', 'create', 'n', '--subnet', '10.0.0.0/8'], 'SUBNET_OVERLAP', /shop|inside/],
  [['network', 'create', 'n', '--subnet', 'fd00:88::/80'], 'SUBNET_OVERLAP', 'shop'],
  [['network', 'create', 'n', '--subnet', '198.51.100.0/25'], 'SUBNET_OVERLAP', '198.51.100.0/24'],
  [['network', 'create', 'shop', '--subnet', '10.90.0.0/24'], 'ALREADY_EXISTS', 'shop'],
  [['network', 'create', 'n', '--opt', 'vetch.nonsense=1'], 'INVALID', 'vetch.nonsense'],
  [['network', 'create', 'n', '--driver', 'token-ring'], 'INVALID', 'token-ring'],
  [['network', 'create', 'a b'], 'INVALID', 'a b'],
  [['network', 'create', 'n', '--mtu', '10'], 'INVALID', '10'],
  [['network', 'rm', 'nowhere'], 'NOT_FOUND', 'nowhere'],
  [['network', 'rm', 'shop'], 'IN_USE', 'web'],
  [['network', 'inspect', 'nowhere'], 'NOT_FOUND', 'nowhere'],
  [['endpoint', 'attach', 'nowhere', '--netns', '/run/netns/box'], 'NOT_FOUND', 'nowhere'],
  [['endpoint', 'attach', 'shop', '--netns', '/run/netns/nobody'], 'NOT_FOUND', '/run/netns/nobody'],
  [['endpoint', 'attach', 'shop', '--netns', '/etc/hostname'], 'INVALID', '/etc/hostname'],
  [['endpoint', 'attach', 'shop', '--netns', '/proc/self/ns/net'], 'INVALID', "host's own"],
  [[...attach, '--ip', '10.88.0.7'], 'ADDRESS_TAKEN', '10.88.0.7'],
  [[...attach, '--ip', '10.88.0.1'], 'ADDRESS_TAKEN', 'gateway'],
  [[...attach, '--ip', '10.88.0.255'], 'ADDRESS_TAKEN', 'broadcast'],
  [[...attach, '--ip', '10.99.0.9'], 'ADDRESS_OUTSIDE_POOL', '10.99.0.9'],
  [[...attach, '--ip', 'fd00:99::9'], 'ADDRESS_OUTSIDE_POOL', 'fd00:99::9'],
  [[...attach, '--ip', '10.88.0.300'], 'INVALID', '10.88.0.300'],
  [[...attach, '--name', 'web'], 'ALREADY_EXISTS', 'shop/web'],
  [[...attach, '--ifname', 'much-too-long-a-name'], 'INVALID', 'much-too-long-a-name'],
  [[...attach, '--mac', 'ff:ff:ff:ff:ff:ff'], 'INVALID', 'ff:ff:ff:ff:ff:ff'],
  [[...attach, '--opt', 'vetch.nonsense=1'], 'INVALID', 'vetch.nonsense'],
  [[...attach, '--publish', '8080:81'], 'PORT_ALLOCATED', portTaken(8080)],
  [[...attach, '--publish', '7000:70', '--publish', '9090:90'], 'PORT_ALLOCATED', portTaken(9090)],
  [[...attach, '--publish', '127.0.0.1:8080:80'], 'PORT_ALLOCATED', portTaken(8080, '127.0.0.1')],
  [[...attach, '--publish', '5353:53/udp'], 'PORT_ALLOCATED', portTaken(5353)],
  [[...attach, '--publish', '8000-8002:80-81'], 'INVALID', '3 host ports for 2 container ports'],
  [[...attach, '--publish', '203.0.113.9:80:80'], 'INVALID', '203.0.113.9'],
  [[...attach, '--publish', '80:80/icmp'], 'INVALID', 'icmp'],
  [['endpoint', 'attach', 'inside', '--netns', '/run/netns/box', '--publish', '80:80'], 'INVALID', 'internal'],
  [['endpoint', 'detach', 'nobody'], 'NOT_FOUND', 'nobody'],
  [['endpoint', 'label', 'nobody', 'a=b'], 'NOT_FOUND', 'nobody'],
  [['port', 'publish', 'web', '8080:81'], 'PORT_ALLOCATED', portTaken(8080)],
  [['port', 'publish', 'web', '9090:90'], 'PORT_ALLOCATED', portTaken(9090)],
  [['port', 'publish', 'nobody', '80:80'], 'NOT_FOUND', 'nobody'],
  [['port', 'unpublish', 'web', '7000:70'], 'NOT_FOUND', '7000:70'],
  [['deny', 'add', '192.0.2.0/24', 'everybody'], 'INVALID', 'everybody'],
  [['deny', 'rm', '192.0.2.0/24'], 'NOT_FOUND', '192.0.2.0/24'],
];

test.for(refusals)('`vetch %s` is refused with %s', async ([command, code, words]) => {
  const program = new URL('../../bin/vetch', import.meta.url).pathname;
  const env = { VETCH_SOCKET: host.socket };
  const { status, stdout, stderr } = await run(host.command([program, ...command]), { env });
  expect(stderr).toMatch(/^vetch: [A-Z_]+: [^\n]+; [^\n]+\n$/);
  expect(stderr.slice(0, stderr.indexOf(': ', 7))).toBe(`vetch: ${code}`);
  expect(stderr).toMatch(words);
  expect(stdout).toBe('');
  expect([1, 2]).toContain(status);
});

test('nothing is left of any of them', async () => {
  await expect.poll(everything, { timeout: 10_000 * slowness }).toBe(before);
});

test('an unknown option of the command line is wrong usage', async () => {
  const program = new URL('../../bin/vetch', import.meta.url).pathname;
  const { status, stderr } = await run(host.command([program, ...attach, '--nonsense']));
  expect(status).toBe(2);
  expect(stderr).toMatch(/^vetch: INVALID: [^\n]*--nonsense[^\n]*\n$/);
});

test('what was refused is granted when nothing stands in its way any more', async () => {
  await host.vetch('port', 'unpublish', 'web', '8080:80');
  await host.vetch(...attach, '--name', 'box', '--publish', '8080:81', '--ip', '10.88.0.8');
  await host.vetch('endpoint', 'detach', 'box');
});
