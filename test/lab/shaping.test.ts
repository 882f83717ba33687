import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import type { Machine } from './machine.ts';
import { burstSeconds, listen, send } from './rates.ts';

// Limits by departure times where the kernel has fq (Debian's has), by dropping where not: the same promises.

let lab: Lab;
let host: Host;
let outside: Client;
let sender: Container;
let receiver: Container;
let hasFq: boolean;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  const probe = await host.container('probe');
  hasFq = (await probe.exec('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'fq')).status === 0;
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16');
  [sender] = await host.attach('web', 'sender');
  [receiver] = await host.attach('web', 'receiver');
  for (const machine of [receiver, outside, host]) await listen(machine);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

/** Little enough that a kernel under emulation carries it beside other work. Where nothing waits test/lab/rates.test.ts says more. */
const sendFor = (from: Machine, to: string, seconds: number) =>
  send(from, to, hasFq ? { seconds, warmUp: 1 } : { seconds: 2 });
const limit = (who: string, ...labels: string[]) => host.vetch('endpoint', 'label', `web/${who}`, ...labels);
const shaper = async () => (await host.exec('ip', 'link', 'show', 'vetchq0')).status === 0;

function expectRate(report: Awaited<ReturnType<typeof send>>, bits: number): void {
  const { wireBits, seconds } = report;
  expect(wireBits / seconds, JSON.stringify(report)).toBeGreaterThan(0.95 * bits);
  const more = hasFq ? 0 : burstSeconds * bits + 8 * 65_536;
  expect(wireBits, JSON.stringify(report)).toBeLessThan(1.05 * bits * seconds + more);
}

test('without limits there is no shaper', async () => {
  expect(await shaper()).toBe(false);
});

test.each([
  ['1Mbit', 1e6, 10],
  ['10Mbit', 1e7, 5],
  ['100Mbit', 1e8, 5],
])('what an endpoint sends keeps to %s', async (rate, bits, seconds) => {
  await limit('sender', `vetch.rate.egress=${rate}`);
  expect(await shaper()).toBe(hasFq);
  const report = await sendFor(sender, '10.88.0.3', seconds);
  process.stdout.write(`${hasFq ? 'fq' : 'dropping'} ${rate}: ${JSON.stringify(report)}\n`);
  expectRate(report, bits);
});

test('also to the host and the world', async () => {
  await limit('sender', 'vetch.rate.egress=4Mbit');
  for (const { address4 } of [host, outside]) {
    expectRate(await sendFor(sender, address4, 3), 4e6);
  }
});

test('what it receives keeps to its rate, from a neighbour and from the host', async () => {
  await limit('sender', 'vetch.rate.egress-');
  await limit('receiver', 'vetch.rate.ingress=4Mbit');
  expectRate(await sendFor(sender, '10.88.0.3', 3), 4e6);
  expectRate(await sendFor(host, '10.88.0.3', 3), 4e6);
});

test('of two limits the smaller holds', async () => {
  await limit('sender', 'vetch.rate.egress=8Mbit');
  expectRate(await sendFor(sender, '10.88.0.3', 3), 4e6);
});

test('datagrams beyond what may wait are dropped, and counted', async () => {
  // A socket that waits for its own packets drops none: it takes several.
  await limit('sender', 'vetch.rate.egress=1Mbit');
  const before = await host.drops('RATE_LIMITED');
  await send(sender, '10.88.0.3', { seconds: 2, streams: 8, udp: { bits: 8e6, length: 1400 } });
  expect(await host.drops('RATE_LIMITED')).toBeGreaterThan(before + 200);
  await limit('sender', 'vetch.rate.egress=8Mbit');
});

test('limits hold while no daemon runs, and are no drift after it has started again', async () => {
  await host.stopDaemon('SIGKILL');
  expectRate(await sendFor(sender, '10.88.0.3', 3), 4e6);
  await host.start();
  expect(await host.status()).toMatchObject({ drift: 0 });
  expectRate(await sendFor(sender, '10.88.0.3', 3), 4e6);
});

test('a shaper that somebody deletes comes back', async () => {
  if (hasFq) await host.must('ip', 'link', 'delete', 'vetchq0');
  await expect.poll(shaper, { timeout: 20_000 }).toBe(hasFq);
  expectRate(await sendFor(sender, '10.88.0.3', 3), 4e6);
});

test('with the last limit it goes, and so it does with everything', async () => {
  await limit('sender', 'vetch.rate.egress-');
  await limit('receiver', 'vetch.rate.ingress-');
  await host.stopDaemon();
  await host.start();
  expect(await shaper()).toBe(false);
  await limit('receiver', 'vetch.rate.ingress=4Mbit');
  expect(await shaper()).toBe(hasFq);
  await host.stopDaemon();
  await host.uninstall();
  expect(await host.must('ip', '-o', 'link')).not.toMatch(/vetch|vt[0-9a-f]{11}/);
});
