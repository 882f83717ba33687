import { expect, test } from 'vitest';
import type { FlowView } from '../../api/schemas/flow.ts';
import { flowView } from '../../api/schemas/flow.ts';
import { DropReason, type FlowEvent, Hook, Verdict } from '../../maps/generated/abi.ts';
import { formatAddress } from '../../model/address.ts';
import { wireOf } from '../host-wire.ts';
import { KtimeClock } from './clock.ts';
import type { FlowPeer } from './directory.ts';
import { FlowLog } from './flow-log.ts';
import { flowEvent, flowQuery, plainNames, recordWords } from './testing.ts';

function makeLog(capacity = 16, maxFollowers = 64) {
  const endpoints = new Map<string, FlowPeer>([
    ['1 10.88.0.2', { name: 'web', labels: { app: 'web' }, identity: 256 }],
    ['0 10.88.0.3', { name: 'db', labels: {}, identity: 257 }],
  ]);
  const directory = {
    version: 1,
    endpointAt: (network: number, address: Uint8Array) => endpoints.get(`${network} ${formatAddress(address)}`),
    networkName: (network: number) => (network === 1 ? 'shop' : undefined),
    decidedBy: (decision: number) =>
      decision === 7 ? { kind: 'NetworkPolicy', namespace: 'shop', name: 'db', rule: 0 } : null,
  };
  const log = new FlowLog({ directory, names: plainNames, node: 'here', capacity, maxFollowers });
  const add = (...events: FlowEvent[]) => {
    for (const event of events) log.append(recordWords(event), 0);
    log.announce();
  };
  return { log, add, endpoints, directory };
}

const forever = new AbortController().signal;

async function all(flows: AsyncIterable<FlowView>): Promise<FlowView[]> {
  const result: FlowView[] = [];
  for await (const flow of flows) result.push(flow);
  return result;
}

const ports = (flows: readonly FlowView[]) => flows.map(({ source }) => source.port);
const numbered = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => flowEvent({ sourcePort: from + i }));

test('an event is shown as the API promises, its ends by name', async () => {
  const { log, add } = makeLog();
  add(flowEvent({ verdict: Verdict.DROPPED, reason: DropReason.POLICY_DENIED, decision: 7, tcpFlags: 0x12 }));
  const [view] = await all(log.query(flowQuery(), forever));
  expect(flowView.parse(view)).toEqual(view);
  expect(view).toMatchObject({
    verdict: 'DROPPED',
    reason: 'POLICY_DENIED',
    source: { ip: '10.88.0.2', port: 40000, endpoint: 'web', identity: 256, labels: { app: 'web' } },
    destination: { ip: '10.88.0.3', port: 80, endpoint: 'db', identity: 257, labels: {} },
    protocol: 'tcp',
    tcpFlags: ['SYN', 'ACK'],
    network: 'shop',
    node: 'here',
    decidedBy: { kind: 'NetworkPolicy', namespace: 'shop', name: 'db', rule: 0 },
  });
});

test('an event without ports, network or names says so', async () => {
  const { log, add } = makeLog();
  add(flowEvent({ source: 'fd00::1', destination: 'ff02::1', protocol: 58, network: 0, sourceIdentity: 2 }));
  const [view] = await all(log.query(flowQuery(), forever));
  expect(view).toMatchObject({
    reason: null,
    source: { ip: 'fd00::1', port: null, endpoint: null, identity: 2 },
    protocol: 'icmpv6',
    tcpFlags: [],
    network: null,
  });
});

test('a date is that of the event', async () => {
  const { log, add } = makeLog();
  add(flowEvent({ time: new KtimeClock().now() }));
  const [view] = await all(log.query(flowQuery(), forever));
  expect(Math.abs(Date.parse(view?.time ?? '') - Date.now())).toBeLessThan(1000);
});

test('the oldest events are overwritten', async () => {
  const { log, add } = makeLog(4);
  add(...numbered(1, 8));
  expect(ports(await all(log.query(flowQuery(), forever)))).toEqual([4, 5, 6, 7]);
  expect(log.history.begin).toBe(3);
});

test('last counts those that match, and shows the oldest first', async () => {
  const { log, add } = makeLog();
  add(...numbered(1, 5), flowEvent({ protocol: 17 }));
  const query = flowQuery({ last: 2, include: { protocol: ['tcp'] } });
  expect(ports(await all(log.query(query, forever)))).toEqual([3, 4]);
  expect(await all(log.query(flowQuery({ last: 0 }), forever))).toEqual([]);
});

test('a new name is shown as soon as the directory has changed', async () => {
  const { log, add, endpoints, directory } = makeLog();
  add(flowEvent());
  await all(log.query(flowQuery(), forever));
  endpoints.set('1 10.88.0.2', { name: 'shop', labels: {}, identity: 256 });
  directory.version++;
  const [view] = await all(log.query(flowQuery(), forever));
  expect(view?.source.endpoint).toBe('shop');
});

test('a follower gets what happens from then on, and leaves when its client does', async () => {
  const { log, add } = makeLog();
  add(...numbered(1, 3));
  const client = new AbortController();
  const flows = log.query(flowQuery({ follow: true }), client.signal);
  const first = flows.next();
  add(...numbered(3, 5));
  expect((await first).value).toMatchObject({ source: { port: 3 } });
  expect((await flows.next()).value).toMatchObject({ source: { port: 4 } });
  expect(log.followers).toBe(1);
  const waiting = flows.next();
  client.abort();
  expect((await waiting).done).toBe(true);
  expect(log.followers).toBe(0);
});

test('a follower that asks for the last gets them first', async () => {
  const { log, add } = makeLog();
  add(...numbered(1, 5));
  const client = new AbortController();
  const flows = log.query(flowQuery({ follow: true, last: 1 }), client.signal);
  expect((await flows.next()).value).toMatchObject({ source: { port: 4 } });
  const next = flows.next();
  add(...numbered(5, 6));
  expect((await next).value).toMatchObject({ source: { port: 5 } });
  client.abort();
  await flows.next();
});

test('a slow follower loses events and is told how many', async () => {
  const { log, add } = makeLog(4);
  const client = new AbortController();
  const flows = log.query(flowQuery({ follow: true }), client.signal);
  const first = flows.next();
  add(...numbered(1, 2));
  await first;
  add(...numbered(2, 12));
  expect((await flows.next()).value).toMatchObject({ source: { port: 8 }, lost: 6 });
  expect((await flows.next()).value).not.toHaveProperty('lost');
  expect(log.lostByFollowers).toBe(6);
  client.abort();
  await flows.next();
});

test('a follower with an end in time ends by itself', async () => {
  const { log } = makeLog();
  const until = new Date(Date.now() + 30).toISOString();
  expect(await all(log.query(flowQuery({ follow: true, until }), forever))).toEqual([]);
});

test('a client that is gone before it began gets nothing', async () => {
  const { log, add } = makeLog();
  add(flowEvent());
  expect(await all(log.query(flowQuery({ follow: true }), AbortSignal.abort()))).toEqual([]);
});

test('more followers than the daemon serves are refused', async () => {
  const { log } = makeLog(4, 1);
  const client = new AbortController();
  const one = log.query(flowQuery({ follow: true }), client.signal);
  const waiting = one.next();
  await expect(log.query(flowQuery({ follow: true }), client.signal).next()).rejects.toThrow('follow the flows');
  client.abort();
  await waiting;
});

test('a filter that names nothing is refused before any flow', async () => {
  const { log, add } = makeLog();
  add(flowEvent());
  await expect(log.query(flowQuery({ include: { reason: ['OTHER'] } }), forever).next()).rejects.toThrow('OTHER');
});

test('of two ends on the wire of an endpoint in the namespace of the host, the hook tells which is its own', async () => {
  const { log, add, endpoints, directory } = makeLog();
  endpoints.set('0 10.88.0.2', { name: 'web', labels: {}, identity: 256 });
  Object.assign(directory, {
    endpointNumbered: (number: number) =>
      number === 5 ? { name: 'app', labels: { app: 'app' }, identity: 300 } : undefined,
  });
  const network = wireOf(5);
  add(flowEvent({ network, hook: Hook.CGROUP_EGRESS, source: '192.0.2.1', destination: '10.88.0.2' }));
  add(flowEvent({ network, hook: Hook.CGROUP_INGRESS, source: '10.88.0.2', destination: '192.0.2.1' }));
  const [sent, received] = await all(log.query(flowQuery(), forever));
  expect([sent?.source.endpoint, sent?.destination.endpoint]).toEqual(['app', 'web']);
  expect([received?.source.endpoint, received?.destination.endpoint]).toEqual(['web', 'app']);
});
