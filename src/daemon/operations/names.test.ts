import { expect, test } from 'vitest';
import type { NameEvent } from '../../api/schemas/names.ts';
import { aNetwork, anEndpoint, anIntent } from '../../reconcile/testing.ts';
import { aService } from '../../service/testing.ts';
import { State } from '../state.ts';
import { followNames } from './names.ts';

const shop = aNetwork();
const hidden = aNetwork({
  ...{ id: `ab${'c'.repeat(62)}`, number: 2, name: 'hidden', internal: true },
  subnets: [{ cidr: '10.99.0.0/16', gateway: '10.99.0.1', aux: {} }],
  options: { 'com.docker.network.bridge.gateway_mode_ipv4': 'isolated' },
});
const dockers = aNetwork({ id: `cd${'e'.repeat(62)}`, number: 3, name: 'dockers', owner: 'docker' });
const web = anEndpoint();
const labelled = anEndpoint({
  id: `e${'f'.repeat(63)}`,
  name: 'boxed',
  number: 2,
  network: dockers.id,
  owner: 'docker',
});

/** A follower of a state, and its next lines. */
function follower() {
  const domains = new Map<number, readonly string[]>();
  const listeners = new Set<(numbers: ReadonlySet<number>) => void>();
  const policy = {
    domainsOf: (number: number) => domains.get(number) ?? [],
    onStandings(listener: (numbers: ReadonlySet<number>) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  /** Policy lets an endpoint reach these from now on. */
  const allow = (number: number, ...patterns: string[]) => {
    domains.set(number, patterns);
    for (const listener of listeners) listener(new Set([number]));
  };
  const state = new State(anIntent([shop, hidden, dockers], [web, labelled]));
  const stop = new AbortController();
  const events = followNames({ state, policy }, stop.signal);
  const next = async (count: number): Promise<NameEvent[]> => {
    const lines: NameEvent[] = [];
    while (lines.length < count) {
      const { done, value } = await events.next();
      if (done) break;
      lines.push(value);
    }
    return lines;
  };
  return { state, stop, events, next, allow, listeners };
}

test('everything is told at first, but what an engine resolves itself, and gateways that the host does not have', async () => {
  const { next, events } = follower();
  const lines = await next(4);
  expect(lines).toMatchObject([
    { event: 'network', name: 'shop', internal: false, gateways: ['10.88.0.1', 'fd00:88::1'] },
    { event: 'network', name: 'hidden', internal: true, gateways: [] },
    { event: 'endpoint', name: 'web', network: shop.id, sandbox: web.netns },
    { event: 'synced' },
  ]);
  expect(lines[2]).toMatchObject({ addresses: web.addresses.map((address) => address.split('/')[0]) });
  await events.return(undefined);
});

test("a service's name is its address's while it is there", async () => {
  const { state, next, events } = follower();
  await next(4);
  const store = aService();
  state.putService(store);
  expect(await next(1)).toMatchObject([{ event: 'endpoint', name: 'store', addresses: ['10.88.0.200'], sandbox: '' }]);
  state.deleteService(store.id);
  expect(await next(1)).toEqual([{ event: 'removed', id: store.id }]);
  await events.return(undefined);
});

test('an endpoint of another host has its name here, too, for as long as it is known', async () => {
  const { state, next, events } = follower();
  await next(4);
  const { id, name, owner, mac, addresses, labels, ports } = anEndpoint({ id: `f${'a'.repeat(63)}`, name: 'far' });
  const remote = { id, name, network: shop.id, owner, mac, addresses, labels, ports, node: 'h2' };
  state.index.putRemote(`h2/${id}`, remote);
  expect(await next(1)).toMatchObject([
    { event: 'endpoint', id: `h2/${id}`, name: 'far', network: shop.id, sandbox: '', domains: [] },
  ]);
  state.index.putRemote(`h2/${id}`, undefined);
  expect(await next(1)).toEqual([{ event: 'removed', id: `h2/${id}` }]);
  await events.return(undefined);
});

test('then each change is told, once however often it changed before it was read', async () => {
  const { state, next, events } = follower();
  await next(4);
  const waiting = next(1);
  state.deleteEndpoint(web.id);
  expect(await waiting).toEqual([{ event: 'removed', id: web.id }]);
  for (const name of ['a', 'b', 'c']) state.putEndpoint({ ...web, name });
  state.putEndpoint({ ...labelled, name: 'unheard-of' });
  state.deleteNetwork(hidden.id);
  expect(await next(2)).toMatchObject([
    { event: 'endpoint', name: 'c' },
    { event: 'removed', id: hidden.id },
  ]);
  await events.return(undefined);
});

test('who may reach domain names is told, of the networks of engines too, and when it is over', async () => {
  const { state, next, allow, events, listeners } = follower();
  await next(4);
  allow(labelled.number, '*.example.com');
  expect(await next(2)).toMatchObject([
    { event: 'network', name: 'dockers', names: false, gateways: ['10.88.0.1', 'fd00:88::1'] },
    { event: 'endpoint', name: 'boxed', domains: ['*.example.com'] },
  ]);
  allow(web.number, 'example.com');
  expect(await next(2)).toMatchObject([
    { event: 'network', name: 'shop', names: true },
    { event: 'endpoint', name: 'web', domains: ['example.com'] },
  ]);
  allow(labelled.number);
  expect(await next(2)).toEqual([
    { event: 'removed', id: dockers.id },
    { event: 'removed', id: labelled.id },
  ]);
  allow(labelled.number, '*.example.com');
  await next(2);
  state.deleteEndpoint(labelled.id);
  expect(await next(2)).toEqual([
    { event: 'removed', id: labelled.id },
    { event: 'removed', id: dockers.id },
  ]);
  await events.return(undefined);
  expect(listeners.size).toBe(0);
});

test('an endpoint that may reach domain names from its first moment brings its network along', async () => {
  const { state, next, allow, events } = follower();
  await next(4);
  const fresh = anEndpoint({ ...labelled, id: `f${'a'.repeat(63)}`, name: 'fresh', number: 9 });
  allow(fresh.number, '*.example.com');
  state.putEndpoint(fresh);
  expect(await next(2)).toMatchObject([
    { event: 'network', name: 'dockers' },
    { event: 'endpoint', name: 'fresh', domains: ['*.example.com'] },
  ]);
  state.deleteEndpoint(fresh.id);
  allow(fresh.number);
  expect(await next(2)).toEqual([
    { event: 'removed', id: fresh.id },
    { event: 'removed', id: dockers.id },
  ]);
  await events.return(undefined);
});

test('a follower that leaves while it waits is let go', async () => {
  const { stop, next } = follower();
  await next(4);
  const waiting = next(1);
  stop.abort();
  expect(await waiting).toEqual([]);
});
