import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { LearnedView } from '../../src/api/schemas/names.ts';
import type { Container } from '../lab/container.ts';
import type { Host } from '../lab/host.ts';
import { type Client, Lab } from '../lab/lab.ts';
import { type Background, slowness } from '../lab/process.ts';
import { LabResolver } from '../lab/resolver.ts';
import { type LookedUp, type Lookup, startLookups } from './lookup.ts';
import type { ClusterNetworkPolicy } from './model/documents.ts';
import { PolicyApi } from './policy-api.ts';
import { cnp, tcp, to, udp } from './sets/build.ts';
import { StreamEnd } from './stream.ts';

// Domain names as peers: a real resolver, a DNS server outside whose names say what they are answered with, and machines that have
// any address of 192.0.2.0/24 and 2001:db8:2::/64.

const soon = { timeout: 10_000 * slowness };

let lab: Lab;
let host: Host;
let outside: Client;
let upstream: Background;
let resolver: LabResolver;
let api: PolicyApi;
let shop: Container;
let till: Container;
let fromShop: (lookup: Lookup) => Promise<LookedUp>;
let fromTill: (lookup: Lookup) => Promise<LookedUp>;

beforeAll(async () => {
  lab = await Lab.create({ start: false });
  [host, outside] = [lab.host(), lab.client('outside')];
  await outside.ip('route add local 192.0.2.0/24 dev lo', 'route add local 2001:db8:2::/64 dev lo');
  await lab.router.ip(
    `route add 192.0.2.0/24 via ${outside.address4}`,
    `route add 2001:db8:2::/64 via ${outside.address6}`,
  );
  const programs = new URL('./prober/', import.meta.url).pathname;
  upstream = outside.spawn('python3', '-B', `${programs}names.py`, outside.address4);
  await upstream.until(/ready/);
  await host.start('--resolver', '/run/vetch-resolver');
  resolver = new LabResolver(host, '--upstream', outside.address4);
  await resolver.start();
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  const attach = async (name: string, namespace: string) =>
    (await host.attach('web', name, '--label', `vetch.io/namespace=${namespace}`))[0];
  [shop, till] = [await attach('shop', 'x'), await attach('till', 'y')];
  await resolver.process.until(/(answers on[\s\S]*){2}/);
  [fromShop, fromTill] = [await startLookups(shop), await startLookups(till)];
  await StreamEnd.start(outside, 'receive', '::', '443');
  api = new PolicyApi(host);
});
afterEach(() => api?.deleteAll());
afterAll(async () => {
  api?.[Symbol.dispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** Whom namespace x may ask: one by both families, and its gateways. */
const servers = () => [`${outside.address4}/32`, `${outside.address6}/128`, '10.88.0.1/32', 'fd00:88::1/128'];

/** Namespace x reaches DNS servers, these names, and nothing else beyond the network. */
function onlyNames(...domainNames: string[]): ClusterNetworkPolicy {
  return cnp('Admin', 10, 'names', {
    subject: { namespaces: { matchLabels: { 'kubernetes.io/metadata.name': 'x' } } },
    egress: [
      to('Accept', [{ networks: servers() }], tcp(53), udp(53)),
      to('Accept', [{ domainNames }]),
      to('Deny', [{ networks: ['0.0.0.0/0', '::/0'] }]),
    ],
  });
}

const hex4 = (address: string) =>
  address
    .split('.')
    .map((byte) => Number(byte).toString(16).padStart(2, '0'))
    .join('');
const hex6 = (last: number) => `20010db80002000000000000${last.toString(16).padStart(8, '0')}`;
/** A name that is answered with these addresses for so long. */
const named = (ttl: number, ...addresses: string[]) => `t${ttl}.${addresses.map(hex4).join('.')}.example.com`;
const learned = () => host.vetch<LearnedView[]>('policy', 'names');

test('what is asked of any server is asked of the resolver, and the answer opens its addresses before it is there', async () => {
  await api.apply(onlyNames('*.example.com'));
  const denied = await fromShop({ address: '192.0.2.1', port: 443 });
  expect(denied.connected).toBe(false);
  const slow: string[] = [];
  for (let last = 1; last <= 100; last++) {
    const address = `192.0.2.${last}`;
    const way = last % 2 === 0 ? { tcp: true } : {};
    const answer = await fromShop({ server: outside.address4, name: named(60, address), port: 443, ...way });
    expect(answer, address).toMatchObject({ addresses: [address], from: outside.address4, connected: true });
    // A first SYN that is lost is sent again after a second.
    if (answer.seconds > 0.9) slow.push(`${address}: ${answer.seconds} s`);
  }
  expect(slow).toEqual([]);
  expect((await fromShop({ address: '192.0.2.101', port: 443 })).connected).toBe(false);
}, 120_000);

test('by IPv6, from a server by IPv6, and by a canonical name', async () => {
  await api.apply(onlyNames('*.example.com'));
  const name = `t60.${hex6(7)}.example.com`;
  const address = '2001:db8:2::7';
  expect((await fromShop({ address, port: 443 })).connected).toBe(false);
  for (const server of [outside.address6, 'fd00:88::1', outside.address4]) {
    expect(await fromShop({ server, name, family: 6, port: 443 })).toMatchObject({
      ...{ addresses: [address], from: server, connected: true },
    });
  }
  const alias = `alias.${named(60, '192.0.2.110')}`;
  expect(await fromShop({ server: outside.address4, name: alias, port: 443 })).toMatchObject({ connected: true });
});

test('a name opens an address to who asked alone, and by the patterns that are for it', async () => {
  await api.apply(onlyNames('*.c0000279.example.com', named(60, '192.0.2.120')));
  const asked = { server: outside.address4, port: 443 };
  expect((await fromShop({ ...asked, name: named(60, '192.0.2.120') })).connected).toBe(true);
  expect((await fromShop({ ...asked, name: 't60.c0000279.example.com' })).connected).toBe(true);
  expect((await fromShop({ ...asked, name: named(60, '192.0.2.122') })).connected).toBe(false);
  // Somebody else of its namespace
  const [third] = await host.attach('web', 'third', '--label', 'vetch.io/namespace=x');
  const fromThird = await startLookups(third);
  expect((await fromThird({ address: '192.0.2.120', port: 443 })).connected).toBe(false);
  expect((await fromThird({ ...asked, name: named(60, '192.0.2.120') })).connected).toBe(true);
  await host.vetch('endpoint', 'detach', 'third');
  await host.destroy(third);
  expect((await learned()).filter(({ endpoint }) => endpoint !== 'shop')).toEqual([]);
});

test('who may reach no names asks whom it asks', async () => {
  await api.apply(onlyNames('*.example.com'));
  const before = (await resolver.status()).queries.forwarded ?? 0;
  expect(await fromTill({ server: outside.address4, name: named(60, '192.0.2.130'), port: 443 })).toMatchObject({
    ...{ addresses: ['192.0.2.130'], connected: true },
  });
  expect((await resolver.status()).queries.forwarded).toBe(before);
  await fromShop({ server: outside.address4, name: named(60, '192.0.2.130') });
  expect((await resolver.status()).queries.forwarded).toBe(before + 1);
});

test('an address closes when its answer’s time is over, but not to connections that are there', async () => {
  await api.apply(onlyNames('*.example.com'));
  const address = '192.0.2.140';
  const name = named(6, address);
  expect((await fromShop({ server: outside.address4, name, port: 443 })).connected).toBe(true);
  await using udpStream = await StreamEnd.start(shop, 'send', 'udp', address, '443');
  await using tcpStream = await StreamEnd.start(shop, 'send', 'tcp', address, '443');
  const shown = async () => (await learned()).find((one) => one.address === address);
  expect(await shown()).toMatchObject({ endpoint: 'shop', network: 'web', names: [name] });
  await expect.poll(async () => (await fromShop({ address, port: 443 })).connected, soon).toBe(false);
  expect(await shown()).toMatchObject({ ttl: null });
  // Whatever changes meanwhile has them judged again, and so does the collector's walk
  const receives = async (stream: StreamEnd) => {
    const before = await stream.count();
    await setTimeout(100);
    return (await stream.count()).messages - before.messages;
  };
  for (let at = 0; at < 20; at++) {
    await api.apply(onlyNames('*.example.com', `n${at}.test.example.com`));
    await setTimeout(1000);
    expect(await receives(udpStream)).toBeGreaterThan(20);
    expect(await receives(tcpStream)).toBeGreaterThan(20);
    expect((await fromShop({ address, port: 443 })).connected).toBe(false);
  }
  expect((await fromShop({ server: outside.address4, name, port: 443 })).connected).toBe(true);
}, 120_000);

test('an address whose last flow is over is forgotten', async () => {
  await api.apply(onlyNames('*.example.com'));
  const name = named(1, '192.0.2.150');
  await fromShop({ server: outside.address4, name });
  expect((await learned()).map(({ address }) => address)).toContain('192.0.2.150');
  await expect
    .poll(async () => (await learned()).map(({ address }) => address), { timeout: 60_000 })
    .not.toContain('192.0.2.150');
}, 90_000);

test('nobody opens the host, a network or metadata by an answer', async () => {
  await api.apply(onlyNames('*.example.com'));
  const targets = ['10.88.0.3', '10.88.0.1', '169.254.169.254', '127.0.0.1', host.address4];
  const answer = await fromShop({ server: outside.address4, name: named(60, ...targets, '192.0.2.160') });
  expect(answer.addresses).toEqual([...targets, '192.0.2.160']);
  expect((await learned()).filter(({ address }) => targets.includes(address))).toEqual([]);
  expect((await fromShop({ address: '192.0.2.160', port: 443 })).connected).toBe(true);
  expect(host.daemon.output).toContain('not opened by an answer');
});

test('explain and trace know what was learned', async () => {
  await api.apply(onlyNames('*.example.com'));
  const asked = async () => [
    (await api.explain('shop', '192.0.2.170', '443/tcp')).verdict,
    (await api.trace('shop', '192.0.2.170', '443/tcp')).verdict,
  ];
  expect(await asked()).toEqual(['deny', 'DROPPED']);
  await fromShop({ server: outside.address4, name: named(60, '192.0.2.170') });
  expect(await asked()).toEqual(['allow', 'FORWARDED']);
  expect((await api.explain('shop', '192.0.2.170', '443/tcp')).decidedBy).toMatchObject({ name: 'names', rule: 1 });
});

test('a daemon that is killed takes nothing of it along', async () => {
  await api.apply(onlyNames('*.example.com'));
  const [address, brief] = ['192.0.2.180', '192.0.2.181'];
  await fromShop({ server: outside.address4, name: named(300, address) });
  await using stream = await StreamEnd.start(shop, 'send', 'udp', address, '443');
  await fromShop({ server: outside.address4, name: named(8, brief) });
  api[Symbol.dispose]();
  await host.stopDaemon('SIGKILL');
  expect((await fromShop({ address, port: 443 })).connected).toBe(true);
  // It is waited for, then the answer is given: what was open is
  const late = await fromShop({ server: outside.address4, name: named(300, '192.0.2.182'), port: 443 });
  expect(late).toMatchObject({ addresses: ['192.0.2.182'], connected: false });
  expect((await resolver.status()).queries.unopened).toBe(1);
  await host.start('--resolver', '/run/vetch-resolver');
  api = new PolicyApi(host);
  expect((await fromShop({ address, port: 443 })).connected).toBe(true);
  expect((await learned()).map((one) => one.address)).toContain(address);
  // Its time goes on while nobody is there
  await expect.poll(async () => (await fromShop({ address: brief, port: 443 })).connected, soon).toBe(false);
  const before = await stream.count();
  await api.apply(onlyNames('*.example.com', 'more.example.com'));
  await setTimeout(100);
  expect((await stream.count()).messages).toBeGreaterThan(before.messages + 20);
  await expect
    .poll(() => fromShop({ server: outside.address4, name: named(300, '192.0.2.182'), port: 443 }), soon)
    .toMatchObject({ connected: true });
  await api.delete(onlyNames());
}, 60_000);

test('without the resolver names stay closed, and status says so', async () => {
  await api.apply(onlyNames('*.example.com'));
  await resolver.stop();
  const answer = await fromShop({ server: outside.address4, name: named(60, '192.0.2.190'), port: 443 });
  expect(answer).toMatchObject({ addresses: null, connected: false });
  const [warning] = (await host.status()).warnings;
  expect(warning).toContain('the resolver: it does not run');
  await resolver.start();
  await expect
    .poll(() => fromShop({ server: outside.address4, name: named(60, '192.0.2.190'), port: 443 }), soon)
    .toMatchObject({ connected: true });
}, 60_000);
