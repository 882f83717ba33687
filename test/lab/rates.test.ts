import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Container } from './container.ts';
import type { Host } from './host.ts';
import { type Client, Lab } from './lab.ts';
import { burstSeconds, listen, send } from './rates.ts';
import { VetchFailure } from './vetch.ts';

// What limits of an endpoint's rate hold, by iperf3; `make test-rates` has the whole grid.

let lab: Lab;
let host: Host;
let outside: Client;
let sender: Container;
let receiver: Container;

beforeAll(async () => {
  lab = await Lab.create();
  host = lab.host('h1');
  outside = lab.client('outside');
  await host.vetch('network', 'create', 'web', '--subnet', '10.88.0.0/16', '--subnet', 'fd00:88::/64');
  await host.vetch('network', 'create', 'slow', '--subnet', '10.89.0.0/16', '--opt', 'vetch.rate.ingress=10Mbit');
  [sender] = await host.attach('web', 'sender', '--opt', 'vetch.rate.egress=100Mbit');
  [receiver] = await host.attach('web', 'receiver');
  for (const machine of [receiver, outside, host]) await listen(machine);
});
afterAll(() => lab?.[Symbol.asyncDispose]());

const limit = (who: string, ...labels: string[]) => host.vetch('endpoint', 'label', `web/${who}`, ...labels);

/** What passes in so many seconds after a silence: the rate, and at most one burst and one train of packets more. */
function expectRate(report: Awaited<ReturnType<typeof send>>, bits: number): void {
  const { wireBits, seconds } = report;
  expect(wireBits / seconds, JSON.stringify(report)).toBeGreaterThan(0.95 * bits);
  const more = burstSeconds * bits + 8 * 65_536;
  expect(wireBits, JSON.stringify(report)).toBeLessThan(1.05 * bits * seconds + more);
}

test('an endpoint sends what its option says, to its neighbour, the host and the world alike', async () => {
  expect(await host.vetch('endpoint', 'inspect', 'web/sender')).toMatchObject({ rates: { egress: 1e8 } });
  for (const address of ['10.88.0.3', 'fd00:88::3', host.address4, outside.address4]) {
    expectRate(await send(sender, address, { seconds: 2 }), 1e8);
  }
  expect(await host.drops('RATE_LIMITED')).toBeGreaterThan(0);
});

test.each([
  ['1Mbit', 1e6, 6],
  ['2Gbit', 2e9, 2],
])('a label changes the rate live: %s', async (rate, bits, seconds) => {
  await limit('sender', `vetch.rate.egress=${rate}`);
  expectRate(await send(sender, '10.88.0.3', { seconds }), bits);
});

test('what an endpoint receives is limited for all senders together, the host and the world too', async () => {
  await limit('sender', 'vetch.rate.egress=none');
  await limit('receiver', 'vetch.rate.ingress=50Mbit');
  for (const machine of [sender, host]) expectRate(await send(machine, '10.88.0.3', { seconds: 2 }), 5e7);
  expectRate(await send(sender, '10.88.0.3', { seconds: 2, streams: 8 }), 5e7);
  // Its answers to others are not.
  await limit('receiver', 'vetch.rate.ingress-');
});

test('datagrams beyond the rate are dropped, and counted; tiny ones cost as much as the smallest frame', async () => {
  await limit('sender', 'vetch.rate.egress=20Mbit');
  const before = await host.drops('RATE_LIMITED');
  for (const length of [1400, 16]) {
    const { packets, lost, seconds } = await send(sender, '10.88.0.3', { seconds: 2, udp: { bits: 6e7, length } });
    const passed = ((packets - lost) * 8 * Math.max(64, length + 28)) / 2e7;
    expect(passed).toBeGreaterThan(0.95 * seconds);
    expect(passed).toBeLessThan(1.05 * seconds + burstSeconds);
  }
  expect(await host.drops('RATE_LIMITED')).toBeGreaterThan(before + 1000);
});

test('a network gives its endpoints its rates, and an endpoint may say none', async () => {
  await host.attach('slow', 'inherits');
  await host.attach('slow', 'fast', '--opt', 'vetch.rate.ingress=none');
  expect(await host.vetch('endpoint', 'inspect', 'slow/inherits')).toMatchObject({ rates: { ingress: 1e7 } });
  expect(await host.vetch('endpoint', 'inspect', 'slow/fast')).toMatchObject({ rates: {} });
});

test('a rate that is none is refused, and nothing changes', async () => {
  for (const bad of ['100MB', '1kbit', '200Gbit', '']) {
    const refused = await limit('sender', `vetch.rate.egress=${bad}`).catch((error) => error);
    expect(refused).toBeInstanceOf(VetchFailure);
    expect(refused).toMatchObject({ code: 'INVALID', hint: expect.stringContaining('100kbit to 100Gbit') });
  }
  expect(await host.vetch('endpoint', 'inspect', 'web/sender')).toMatchObject({ rates: { egress: 2e7 } });
});

test('limits hold while no daemon runs, and after it has started again', async () => {
  await limit('sender', 'vetch.rate.egress=100Mbit');
  await host.stopDaemon('SIGKILL');
  expectRate(await send(sender, '10.88.0.3', { seconds: 2 }), 1e8);
  await host.start();
  expect(await host.status()).toMatchObject({ drift: 0 });
  expectRate(await send(sender, '10.88.0.3', { seconds: 2 }), 1e8);
});

test('a limit goes with its endpoint', async () => {
  expect(await limited()).toBe(1);
  await host.vetch('endpoint', 'detach', 'web/sender');
  expect(await limited()).toBe(0);
  const [next] = await host.attach('web', 'next');
  const { wireBits, seconds } = await send(next, '10.88.0.3', { seconds: 1 });
  expect(wireBits / seconds).toBeGreaterThan(5e8);
});

/** How many endpoints may not send all that they want to. */
async function limited(): Promise<number> {
  const dump = await host.must('bpftool', '-j', 'map', 'dump', 'pinned', `${host.bpffs}/v1/maps/rates`);
  const elements = JSON.parse(dump) as { formatted: { key: number; value: { bits: number } } }[];
  return elements.filter(({ formatted: { key, value } }) => key % 2 === 0 && value.bits > 0).length;
}
