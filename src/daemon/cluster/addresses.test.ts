import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { VetchError } from '../../api/error.ts';
import type { HeldAddress } from '../../model/cluster.ts';
import type { Network } from '../../model/network.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { endpointRequest, planned } from '../../network/testing.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../store/embedded.ts';
import { changeHolding } from '../change-cluster.ts';
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
/** Takes its time for transactions, as a store does that hangs, until it has resolved. */
let hanging: Promise<void> | undefined;
/** Carries out transactions, and loses its answers. */
let deaf: boolean;
/** What is kept for endpoints that are to come. */
let reserved: Set<string>;

const cluster: { -readonly [Key in 'transaction' | 'settled']: AddressContext['cluster'][Key] } = {
  async transaction(change) {
    await hanging;
    if (!away) await store.cluster.transaction(change);
    if (away || deaf) throw new VetchError('UNAVAILABLE', 'the store is away', 'wait');
  },
  settled: () => store.cluster.settled(),
};

/** What a daemon does at its start. */
async function start(): Promise<void> {
  store = await openEmbeddedStore(directory);
  const shared = await store.cluster.load();
  state = new State((await loadIntent(store, shared, [], log)).intent);
  lock = new Mutex();
  const context = { cluster, lock, log, state, options: { node: 'a' } };
  addresses = new ClusterAddresses(context as unknown as AddressContext, shared);
  addresses.keepReserved(() => reserved);
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
  deaf = false;
  reserved = new Set();
  hanging = undefined;
  store = await openEmbeddedStore(directory);
  await store.cluster.transaction((writer) => writer.putNetwork(network));
  await store.close();
  await start();
  await prepare(network);
});
afterEach(async () => {
  await die();
  rmSync(directory, { recursive: true, force: true });
});

const holding = <T>(id: string, change: Parameters<typeof changeHolding<T>>[2]) =>
  changeHolding({ addresses, cluster, lock } as unknown as Parameters<typeof changeHolding>[0], id, change);

/** As for a network that this host has made. */
async function prepare(made: Network): Promise<void> {
  await lock.run(() => addresses.prepare(made));
  await addresses.settle();
}

/** @returns the address */
function attach(name: string, ...asked: string[]): Promise<string> {
  return attachTo(network, name, ...asked);
}

function attachTo(network: Network, name: string, ...asked: string[]): Promise<string> {
  const id = randomBytes(32).toString('hex');
  return holding(id, async (claim) => {
    const chosen = addresses.choose(network, asked, claim);
    const request = endpointRequest({ name, netns: `/run/netns/${name}`, addresses: chosen });
    const endpoint = planEndpoint(request, { network, endpoints: state.taken, id });
    addresses.hold(network, endpoint.addresses, claim);
    await store.putEndpoint(endpoint);
    state.putEndpoint(endpoint);
    addresses.wake();
    return endpoint.addresses[0]?.split('/')[0] ?? '';
  });
}

function reserve(asked?: string): Promise<string> {
  return holding('', async (claim) => {
    const address = addresses.reserve(network, 4, asked, claim);
    reserved.add(address);
    return address;
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
  await reserve('10.100.0.200');
  await expect(reserve('10.100.0.200')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  away = true;
  for (let i = 0; i < 4; i++) await reserve();
  expect(reserved.size).toBe(5);
  const [asked = '', first = ''] = reserved;
  // The endpoint that one was reserved for has it without asking anybody, and others have others.
  expect(reserved).not.toContain(await attach('other'));
  await attach('web', asked);
  reserved.delete(asked);
  reserved.delete(first);
  await lock.run(() => addresses.giveBackReserved(network, first));
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
  await prepare(other);
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
    return { network: small.id, address: `10.101.0.${host}`, node: 'b', endpoint: '' };
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
  await prepare(small);
  expect(addresses.of('a').filter(({ network }) => network === small.id)).toEqual([]);
  await store.cluster.transaction((writer) => writer.deleteAddress(held(5)));
  await lock.run(() => addresses.follow(new Map([[`${small.id}/10.101.0.5`, undefined]])));
  await addresses.settle();
  expect(addresses.of('a').filter(({ network }) => network === small.id)).toEqual([
    { network: small.id, address: '10.101.0.5', node: 'a', endpoint: '' },
  ]);
});

/** As many hosts as `last` have an endpoint each, of which this one has heard up to `first`. */
async function othersCome(last: number, first = 0): Promise<void> {
  const others = Array.from({ length: last - first }, (_, i): HeldAddress => {
    return { network: network.id, address: `10.100.0.${100 + first + i}`, node: `b${first + i}`, endpoint: 'web' };
  });
  await lock.run(() => addresses.follow(new Map(others.map((held) => [`${network.id}/${held.address}`, held]))));
  await addresses.settle();
}

test('the host whose coming makes it too much that is held in advance is the one that has it given back', async () => {
  for (let host = 1; host < 10; host++) await othersCome(host, host - 1);
  expect(addresses.of('a')).toHaveLength(8);
  await othersCome(10, 9);
  expect(addresses.of('a')).toHaveLength(5);
});

test('what others need more is left to them once, however often that cannot be told', async () => {
  away = true;
  await othersCome(20);
  for (let host = 21; host < 25; host++) await othersCome(host, host - 1);
  // Without asking anybody.
  await attach('one');
  await attach('other');
  away = false;
  await expect
    .poll(async () => Object.values(await known()).sort(), { timeout: 5_000 })
    .toEqual(['', '', 'one', 'other']);
});

test('what is held in advance is given back, in two steps, when many hosts share a network', async () => {
  const own = () => addresses.of('a').map(({ address, endpoint }) => [address, endpoint === ''] as const);
  const before = own();
  expect(before).toHaveLength(8);
  const writes: string[] = [];
  const { transaction } = cluster;
  cluster.transaction = (change) => {
    return transaction((writer) => {
      change({
        ...writer,
        putAddress: (held) => {
          writes.push(`${held.address} for ${held.endpoint === '' ? 'nobody' : 'somebody'}`);
          writer.putAddress(held);
        },
        deleteAddress: (held) => {
          writes.push(`${held.address} given back`);
          writer.deleteAddress(held);
        },
      });
    });
  };
  try {
    // A quarter of 250 for eight hosts: nearly as many as it has.
    await othersCome(8);
    expect([own(), writes]).toEqual([before, []]);
    await othersCome(20);
    expect(own()).toEqual(before.slice(0, 2));
    const gone = before.slice(2).map(([address]) => address);
    expect(writes.slice(0, gone.length)).toEqual(gone.map((address) => `${address} for somebody`));
    expect(writes.slice(gone.length)).toEqual(gone.map((address) => `${address} given back`));
    await othersCome(120);
    expect(own()).toEqual([]);
    // It asks for each, and attaches all the same.
    expect(await attach('web')).toMatch(/^10\.100\.0\./);
  } finally {
    cluster.transaction = transaction;
  }
});

test('while the cluster takes its time for one, others are attached with what is held in advance', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  hanging = promise;
  const asked = attach('web', '10.100.0.200');
  const [one, other] = [await attach('one'), await attach('other')];
  expect(new Set([one, other, '10.100.0.200']).size).toBe(3);
  // Nobody else here gets what is asked for.
  await expect(attach('thief', '10.100.0.200')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  await expect(reserve('10.100.0.200')).rejects.toMatchObject({ code: 'ADDRESS_TAKEN' });
  resolve();
  expect(await asked).toBe('10.100.0.200');
  await expect.poll(known, { timeout: 5_000 }).toMatchObject({ '10.100.0.200': 'web', [one]: 'one', [other]: 'other' });
  await expect.poll(spare).toBe(8);
});

test('what has changed while an address was asked for is heeded, and the address given back', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  hanging = promise;
  const asked = attach('web', '10.100.0.200');
  await attach('web');
  resolve();
  await expect(asked).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await expect.poll(known, { timeout: 5_000 }).not.toHaveProperty('10.100.0.200');
});

test.each([
  ['an endpoint', attach],
  ['one that is to come', (_name: string, address: string) => reserve(address)],
])('an address for %s that could not be asked for is free, also if the cluster has given it', async (_what, ask) => {
  away = true;
  await expect(ask('web', '10.100.0.200')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  away = false;
  deaf = true;
  await expect(ask('web', '10.100.0.200')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  deaf = false;
  const held = (await store.cluster.load()).addresses.get(`${network.id}/10.100.0.200`);
  expect(held).toBeDefined();
  await lock.run(() => addresses.follow(new Map([[`${network.id}/10.100.0.200`, held]])));
  await expect.poll(known, { timeout: 5_000 }).not.toHaveProperty('10.100.0.200');
  expect(await spare()).toBe(8);
  expect(await ask('web', '10.100.0.200')).toBe('10.100.0.200');
});

test('an address that is used here and held by another host is taken when that gives it back', async () => {
  const address = await attach('web');
  const key = `${network.id}/${address}`;
  const theirs: HeldAddress = { network: network.id, address, node: 'b', endpoint: 'theirs' };
  const [own] = addresses.of('a').filter((held) => held.address === address);
  await store.cluster.transaction((writer) => {
    if (own) writer.deleteAddress(own);
    writer.putAddress(theirs);
  });
  await lock.run(() => addresses.follow(new Map([[key, theirs]])));
  await expect.poll(() => addresses.warnings.length, { timeout: 5_000 }).toBe(1);
  await store.cluster.transaction((writer) => writer.deleteAddress(theirs));
  await lock.run(() => addresses.follow(new Map([[key, undefined]])));
  await expect.poll(known, { timeout: 5_000 }).toMatchObject({ [address]: 'web' });
  expect(addresses.warnings).toEqual([]);
});

test('of a network that another host has made nothing is held until the first endpoint, and then as much as of any', async () => {
  const subnets = ['10.101.0.0/24'];
  const other = { ...planned({ name: 'other', driver: 'overlay', subnets }), number: network.number + 1 };
  await store.cluster.transaction((writer) => writer.putNetwork(other));
  await lock.run(() => {
    state.putNetwork(other);
    addresses.addNetwork(other);
  });
  await addresses.settle();
  const held = () => addresses.of('a').filter((one) => one.network === other.id);
  expect(held()).toEqual([]);
  away = true;
  await expect(attachTo(other, 'early')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  away = false;
  const first = await attachTo(other, 'first');
  await expect.poll(() => held().length, { timeout: 5_000 }).toBe(9);
  away = true;
  expect(await attachTo(other, 'second')).not.toBe(first);
});

test('of a network that an engine has joined addresses are held, also when it has been made anew', async () => {
  addresses.keepJoined(({ name }) => name === 'other');
  for (const number of [1, 2]) {
    const subnets = ['10.101.0.0/24'];
    const other = { ...planned({ name: 'other', driver: 'overlay', subnets }), number: network.number + number };
    await store.cluster.transaction((writer) => writer.putNetwork(other));
    await lock.run(() => {
      state.putNetwork(other);
      addresses.addNetwork(other);
    });
    await addresses.settle();
    expect(addresses.of('a').filter((one) => one.network === other.id)).toHaveLength(8);
    await store.cluster.transaction((writer) => writer.deleteNetwork(other.id));
    await lock.run(() => {
      addresses.removeNetwork(other.id);
      state.deleteNetwork(other.id);
    });
  }
});

test("hosts that attach their first endpoints at one moment get out of one another's way", async () => {
  const subnets = ['10.101.0.0/24'];
  const other = { ...planned({ name: 'other', driver: 'overlay', subnets }), number: network.number + 1 };
  await store.cluster.transaction((writer) => writer.putNetwork(other));
  await lock.run(() => {
    state.putNetwork(other);
    addresses.addNetwork(other);
  });
  // Of 24 others each has been faster with the address that comes next.
  const theirs = Array.from({ length: 24 }, (_, at): HeldAddress => {
    return { network: other.id, address: `10.101.0.${2 + at}`, node: `b${at}`, endpoint: `b${at}` };
  });
  await store.cluster.transaction((writer) => {
    for (const held of theirs) writer.putAddress(held);
  });
  const address = await attachTo(other, 'web');
  expect(theirs.map((held) => held.address)).not.toContain(address);
});
