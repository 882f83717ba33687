import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VetchError } from '../../api/error.ts';
import type { HeldAddress } from '../../model/cluster.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { endpointRequest, planned } from '../../network/testing.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../store/embedded.ts';
import { Mutex } from '../mutex.ts';
import { loadIntent, State } from '../state.ts';
import { type AddressContext, ClusterAddresses } from './addresses.ts';

const log = pino({ level: 'silent' });
const network = planned({ driver: 'overlay', subnets: ['10.100.0.0/24'] });
const directory = mkdtempSync(join(tmpdir(), 'vetch-addresses-'));

let store: EmbeddedStore;
let state: State;
let lock: Mutex;
let addresses: ClusterAddresses;
/** Refuses transactions as a store does that is away. */
let away: boolean;

/** What a daemon does at its start. */
async function start(): Promise<void> {
  store = await openEmbeddedStore(directory);
  const shared = await store.cluster.load();
  state = new State((await loadIntent(store, shared, [], log)).intent);
  lock = new Mutex();
  const cluster: Pick<AddressContext['cluster'], 'transaction' | 'settled'> = {
    async transaction(change) {
      if (away) throw new VetchError('UNAVAILABLE', 'the store is away', 'wait');
      await store.cluster.transaction(change);
    },
    settled: () => store.cluster.settled(),
  };
  const context = { cluster, lock, log, state, options: { node: 'a' } };
  addresses = new ClusterAddresses(context as unknown as AddressContext, shared);
  addresses.wake();
  await addresses.settle();
}

/** What is left when it dies. */
async function die(): Promise<void> {
  await addresses[Symbol.asyncDispose]();
  await store.close();
}

beforeEach(async () => {
  rmSync(directory, { recursive: true, force: true });
  away = false;
  store = await openEmbeddedStore(directory);
  await store.cluster.transaction((writer) => writer.putNetwork(network));
  await store.close();
  await start();
});
afterEach(async () => {
  await die();
  rmSync(directory, { recursive: true, force: true });
});

/** @returns the address */
function attach(name: string, ...asked: string[]): Promise<string> {
  return lock.run(async () => {
    const request = endpointRequest({ name, netns: `/run/netns/${name}`, addresses: addresses.choose(network, asked) });
    const endpoint = planEndpoint(request, { network, endpoints: state.taken });
    await addresses.hold(network, endpoint);
    await store.putEndpoint(endpoint);
    state.putEndpoint(endpoint);
    addresses.wake();
    return endpoint.addresses[0]?.split('/')[0] ?? '';
  });
}

function detach(name: string): Promise<void> {
  return lock.run(async () => {
    const [endpoint] = state.index.endpointsNamed(name);
    if (!endpoint) throw new Error(`there is no ${name}`);
    await store.deleteEndpoint(endpoint.id);
    state.deleteEndpoint(endpoint.id);
    addresses.giveBack(network, endpoint);
  });
}

/** Who has what, as the cluster knows it: an endpoint's name, or nothing of what is held in advance. */
async function known(): Promise<Record<string, string>> {
  const records = [...(await store.cluster.load()).addresses.values()];
  const named = ({ address, endpoint }: HeldAddress): [string, string] => {
    return [address, state.index.endpoints.get(endpoint)?.name ?? endpoint];
  };
  return Object.fromEntries(records.map(named));
}

const spare = async () => Object.values(await known()).filter((name) => name === '').length;

test('an endpoint has an address that was held before, and the cluster learns of it afterwards', async () => {
  expect(await spare()).toBe(8);
  away = true;
  const address = await attach('web');
  expect((await known())[address]).toBe('');
  away = false;
  await expect.poll(async () => (await known())[address], { timeout: 5_000 }).toBe('web');
  await expect.poll(spare).toBe(8);
});

test("an address that is reserved is nobody else's, whether the cluster knows or not, until it is given back", async () => {
  const reserved = new Set<string>();
  addresses.keepReserved(() => reserved);
  const reserve = (asked?: string) => lock.run(() => addresses.reserve(network, 4, asked));
  reserved.add(await reserve('10.100.0.200'));
  await expect(reserve('10.100.0.200')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  away = true;
  for (let i = 0; i < 4; i++) reserved.add(await reserve());
  expect(reserved.size).toBe(5);
  const [asked = '', first = ''] = reserved;
  // The endpoint that one was reserved for has it without asking anybody, and others have others.
  expect(reserved).not.toContain(await attach('other'));
  await lock.run(async () => {
    const request = endpointRequest({ name: 'web', netns: '/run/netns/web', addresses: [asked] });
    const endpoint = planEndpoint(request, { network, endpoints: state.taken });
    await addresses.hold(network, endpoint);
    await store.putEndpoint(endpoint);
    state.putEndpoint(endpoint);
    reserved.delete(asked);
    reserved.delete(first);
    addresses.giveBackReserved(network, first);
  });
  away = false;
  await expect.poll(known, { timeout: 5_000 }).toMatchObject({ [asked]: 'web' });
  await expect.poll(known).not.toHaveProperty(first);
  for (const one of reserved) expect((await known())[one]).toBe('');
  expect(await spare()).toBe(8 + reserved.size);
});

test('what is given back is free for other hosts at once, and not held in advance again', async () => {
  const address = await attach('web');
  await detach('web');
  await addresses.settle();
  expect(await known()).not.toHaveProperty(address);
  expect(await spare()).toBe(8);
});

test('with nothing left in advance and the store away, attaching is refused in one line', async () => {
  away = true;
  for (let i = 0; i < 8; i++) await attach(`web-${i}`);
  await expect(attach('web-8')).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(
      /^this host does not hold 10\.100\.0\.\d+ of network frontend, and cannot: the store/,
    ),
  });
  await expect(attach('web-9', '10.100.0.200')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('a daemon that dies before the cluster has learned anything hands nothing out twice, and loses nothing', async () => {
  away = true;
  const kept = await attach('kept');
  const left = await attach('left');
  await detach('left');
  await die();
  away = false;
  await start();
  expect(await known()).toMatchObject({ [kept]: 'kept', [left]: '' });
  expect(await attach('next')).not.toBe(kept);
  // What was held for one that is gone at the start is given back.
  const gone = await attach('gone', '10.100.0.200');
  expect((await known())[gone]).toBe('gone');
  away = true;
  await detach('gone');
  await die();
  away = false;
  await start();
  expect(await known()).not.toHaveProperty(gone);
});

test('of a network that another host has removed nothing is told, and other networks do not wait for it', async () => {
  const other = planned({ name: 'other', driver: 'overlay', subnets: ['10.101.0.0/24'] }, { networks: [network] });
  const address = await attach('web');
  await addresses.settle();
  await lock.run(async () => {
    await store.cluster.transaction((writer) => {
      writer.deleteAddress({ network: network.id, address });
      writer.deleteNetwork(network.id);
      writer.putNetwork(other);
    });
    addresses.removeNetwork(network.id);
    state.putNetwork(other);
    addresses.addNetwork(other);
  });
  await addresses.settle();
  const held = [...(await store.cluster.load()).addresses.values()];
  expect([held.length, new Set(held.map((one) => one.network))]).toEqual([8, new Set([other.id])]);
  await expect(attach('late')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
});

test('of an address that another host holds the endpoint is named', async () => {
  const address = await attach('web');
  await addresses.settle();
  await lock.run(async () => {
    const other: HeldAddress = { network: network.id, address, node: 'b', endpoint: 'x' };
    await store.cluster.transaction((writer) => {
      writer.deleteAddress(other);
      writer.putAddress(other);
    });
    addresses.follow(new Map([[`${network.id}/${address}`, other]]));
  });
  await addresses.settle();
  expect(addresses.warnings).toEqual([
    `address ${address} of frontend/web is held by host b: detach it, and attach it again`,
  ]);
  await detach('web');
  await addresses.settle();
  expect(addresses.warnings).toEqual([]);
  await expect(attach('again', address)).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
});

test('what another host gives back is taken in advance where there was none left', async () => {
  const subnets = ['10.101.0.0/29'];
  const small = { ...planned({ name: 'small', driver: 'overlay', subnets }), number: network.number + 1 };
  const held = (host: number): HeldAddress => {
    return { network: small.id, address: `10.101.0.${host}`, node: 'b', endpoint: 'web' };
  };
  await store.cluster.transaction((writer) => {
    writer.putNetwork(small);
    for (let host = 2; host < 7; host++) writer.putAddress(held(host));
  });
  await lock.run(() => {
    state.putNetwork(small);
    addresses.addNetwork(small);
    addresses.follow(new Map([2, 3, 4, 5, 6].map((host) => [`${small.id}/10.101.0.${host}`, held(host)])));
  });
  await addresses.settle();
  expect(addresses.of('a').filter(({ network }) => network === small.id)).toEqual([]);
  await store.cluster.transaction((writer) => writer.deleteAddress(held(5)));
  await lock.run(() => addresses.follow(new Map([[`${small.id}/10.101.0.5`, undefined]])));
  await addresses.settle();
  expect(addresses.of('a').filter(({ network }) => network === small.id)).toEqual([
    { network: small.id, address: '10.101.0.5', node: 'a', endpoint: '' },
  ]);
});
