import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { policyKey } from '../../src/model/policy.ts';
import { AddressBook } from '../../src/network/address-book.ts';
import { planHoldings } from '../../src/network/plan-holdings.ts';
import { planned } from '../../src/network/testing.ts';
import { type CachedCluster, ClusterCache } from '../../src/store/cluster-cache.ts';
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { encodeRecord } from '../../src/store/codec.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../src/store/embedded.ts';
import { EtcdClient } from '../../src/store/etcd/client.ts';
import { AwayError } from '../../src/store/etcd/failure.ts';
import type { EtcdClusterOptions } from '../../src/store/etcd/open.ts';
import { defaultTimes } from '../../src/store/etcd/options.ts';
import { Presence } from '../../src/store/etcd/presence.ts';
import { recordSchema } from '../../src/store/records.ts';
import { holderRecord } from '../../src/store/writer-lock.ts';
import { EtcdServers } from '../lab/etcd-servers.ts';
import { Background } from '../lab/process.ts';
import { etcdPlace, openPlace } from './etcd-place.ts';
import { EtcdProxy } from './etcd-proxy.ts';
import { sampleClusterEndpoint, sampleNetwork, samplePolicy } from './store-records.ts';
import { digestOf, Witness } from './witness.ts';

const peerProgram = fileURLToPath(new URL('cluster-peer.ts', import.meta.url));
const patient = { timeout: 30_000, interval: 20 };

let servers: EtcdServers;
let place: string;
let opened: ClusterStore[] = [];
let peers: Background[] = [];
let stores: EmbeddedStore[] = [];
let directories: string[] = [];

beforeAll(async () => {
  servers = await EtcdServers.start({ count: 3 });
});
afterAll(() => servers[Symbol.asyncDispose]());
beforeEach(() => {
  place = etcdPlace(servers.endpoints, `/vetch/${randomUUID()}`);
});
afterEach(async () => {
  for (const store of opened) await store.close();
  for (const peer of peers) await peer.stop('SIGKILL');
  for (const store of stores) await store.close();
  opened = [];
  peers = [];
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  stores = [];
  directories = [];
});

async function open(node: string, options: Partial<EtcdClusterOptions> = {}): Promise<ClusterStore> {
  const store = await openPlace(place, node, options);
  opened.push(store);
  return store;
}

/** A host in a process of its own. */
async function startPeer(node: string, lease = 15, start = 120): Promise<Background> {
  const flags = ['--experimental-strip-types', '--no-warnings'];
  const peer = new Background([process.execPath, ...flags, peerProgram, place, node, String(lease), String(start)]);
  peers.push(peer);
  await peer.until(/ready/, 20);
  return peer;
}

function label(store: ClusterStore, name: string, labels: Record<string, string>): Promise<void> {
  return store.transaction((writer) => writer.putNamespace(name, labels));
}

/** Writes namespaces `FIRST` to `LAST`, a hundred at once, each of about `bytes`. */
async function fill(store: ClusterStore, first: number, last: number, bytes = 20): Promise<void> {
  const filling = 'x'.repeat(bytes);
  for (let from = first; from <= last; from += 100) {
    await store.transaction((writer) => {
      for (let i = from; i < from + 100 && i <= last; i++) writer.putNamespace(`n${i}`, { filling, number: String(i) });
    });
  }
}

async function agreed(peer: Background, store: ClusterStore): Promise<void> {
  const wanted = digestOf(await store.load());
  await expect
    .poll(async () => {
      const before = peer.output.length;
      peer.child.stdin?.write('digest\n');
      await expect.poll(() => peer.output.slice(before).includes('digest '), patient).toBe(true);
      return peer.output.slice(before).match(/digest (\w+)/)?.[1];
    }, patient)
    .toBe(wanted);
}

test.each(['the member that it talks to', 'the leader'])(
  'goes on when %s is killed, and misses nothing',
  async (which) => {
    const [a, b] = [await open('a'), await open('b')];
    const witness = await Witness.of(b);
    await label(a, 'before', { seen: 'yes' });
    const victim = which === 'the leader' ? await servers.leader() : 0;
    await servers.kill(victim);
    try {
      for (let i = 0; i < 20; i++) await label(a, `during-${i}`, { seen: 'yes' });
      await expect.poll(() => witness.records.namespaces.size, patient).toBe(21);
      await label(b, 'by-b', { seen: 'yes' });
      await expect.poll(() => [...a.warnings, ...b.warnings], patient).toEqual([]);
    } finally {
      await servers.restart(victim);
    }
  },
);

test('with every member paused it says so, refuses at once, and settles when they are back', async () => {
  const [a, b] = [await open('a'), await open('b')];
  const [witnessA, witnessB] = [await Witness.of(a), await Witness.of(b)];
  await label(a, 'shop', { team: 'red' });
  await b.settled();
  const kept = sampleClusterEndpoint('a', 1);
  for (let i = 0; i < servers.count; i++) servers.pause(i);
  try {
    await expect
      .poll(() => a.warnings, patient)
      .toEqual([
        expect.stringMatching(
          /^the cluster's store \(etcd at 127\.0\.0\.1:\d+, .*\) is away for \d+ s: .*cannot be changed/,
        ),
      ]);
    // A while after it is known nobody waits for it any more.
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const began = performance.now();
    await expect(label(a, 'shop', { team: 'blue' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - began).toBeLessThan(500);
    a.publish((writer) => writer.putEndpoint(kept));
    expect((await a.load()).namespaces.get('shop')).toEqual({ team: 'red' });
  } finally {
    for (let i = 0; i < servers.count; i++) servers.resume(i);
  }
  await expect.poll(() => [...a.warnings, ...b.warnings], patient).toEqual([]);
  await expect.poll(() => witnessB.records.endpoints.get(`a/${kept.id}`)?.name, patient).toBe(kept.name);
  await label(b, 'shop', { team: 'green' });
  await expect.poll(() => witnessA.records.namespaces.get('shop'), patient).toEqual({ team: 'green' });
});

test('a change whose answer is lost is made once, or not at all, and everybody learns which', async () => {
  const [a, b] = [await open('a', { times: { call: 3_000, attempt: 1_000 } }), await open('b')];
  const [witnessA, witnessB] = [await Witness.of(a), await Witness.of(b)];
  for (let round = 0; round < 5; round++) {
    const change = label(a, `round-${round}`, { by: 'a' }).then(
      () => true,
      () => false,
    );
    for (let i = 0; i < servers.count; i++) servers.pause(i);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    for (let i = 0; i < servers.count; i++) servers.resume(i);
    const happened = await change;
    await expect.poll(() => a.warnings, patient).toEqual([]);
    await Promise.all([a.settled(), b.settled()]);
    const there = (await b.load()).namespaces.has(`round-${round}`);
    if (happened) expect(there).toBe(true);
    expect(witnessB.records.namespaces.has(`round-${round}`)).toBe(there);
    // Whoever was told that it failed is told when it has happened all the same.
    if (!happened) expect(witnessA.records.namespaces.has(`round-${round}`)).toBe(there);
  }
});

test('an etcd that has lost what it had opens nothing: a running host does not follow it', async () => {
  await using lost = await EtcdServers.start();
  const store = await openPlace(etcdPlace(lost.endpoints, '/vetch'), 'a');
  opened.push(store);
  const witness = await Witness.of(store);
  await fill(store, 1, 200);
  await store.transaction((writer) => writer.putPolicy(samplePolicy(1)));
  await store.settled();
  await lost.lose(0);
  await expect
    .poll(() => store.warnings, patient)
    .toEqual([expect.stringMatching(/has lost what it had, or was restored/)]);
  const { policies, namespaces } = await store.load();
  expect([witness.calls, policies.size, namespaces.size]).toEqual([0, 1, 200]);
});

test('what a newer version wrote is neither read wrong nor replaced, and a host does not start with it', async () => {
  const a = await open('a');
  const witness = await Witness.of(a);
  await label(a, 'shop', { team: 'red' });
  await servers.etcdctl('put', `${place.slice(place.indexOf('/'))}/namespaces/shop`, '{"schema":99}');
  await expect
    .poll(() => a.warnings, patient)
    .toEqual([expect.stringMatching(/namespaces\/shop .*schema 99.*upgrade/)]);
  await expect(label(a, 'shop', { team: 'blue' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  await label(a, 'other', { team: 'blue' });
  expect(witness.records.namespaces.get('shop')).toEqual({ team: 'red' });
  const b = await open('b');
  await expect(b.load()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
});

test('a quorum that is lost is told of, and one that is back is used', async () => {
  const a = await open('a');
  await Witness.of(a);
  await servers.kill(0);
  await servers.kill(1);
  try {
    await expect.poll(() => a.warnings.length, patient).toBe(1);
    await expect(label(a, 'shop', { team: 'red' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  } finally {
    await Promise.all([servers.restart(0), servers.restart(1)]);
  }
  await expect.poll(() => a.warnings, patient).toEqual([]);
  await label(a, 'shop', { team: 'red' });
});

test('a watcher that was stalled past a compaction is told exactly the difference', async () => {
  const a = await open('a');
  await Witness.of(a);
  await fill(a, 1, 3_000, 100);
  const peer = await startPeer('b');
  await agreed(peer, a);
  peer.child.kill('SIGSTOP');
  // More than the buffers on the way hold.
  await fill(a, 1_001, 6_000, 4_000);
  for (let i = 1; i <= 1_000; i += 100) {
    await a.transaction((writer) => {
      for (let k = i; k < i + 100; k++) writer.putNamespace(`n${k}`, undefined);
    });
  }
  await servers.etcdctl('compact', String(await servers.revision()));
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  peer.child.kill('SIGCONT');
  await peer.until(/watch on from where it was/, 30);
  await agreed(peer, a);
  await fill(a, 6_001, 6_100);
  await agreed(peer, a);
});

test('a watcher that was stalled catches up in portions without a snapshot, where nothing is compacted', async () => {
  const a = await open('a');
  await Witness.of(a);
  const peer = await startPeer('b');
  peer.child.kill('SIGSTOP');
  await fill(a, 1, 5_000, 2_000);
  peer.child.kill('SIGCONT');
  await agreed(peer, a);
  expect(peer.output).not.toMatch(/watch on from/);
});

test('a slow follower is told of 5,000 changes in few calls, and of the last state of each', async () => {
  const [a, b] = [await open('a'), await open('b')];
  await Witness.of(a);
  const slow = await Witness.of(b);
  slow.slowness = 200;
  const writes = Array.from({ length: 5_000 }, (_, i) => label(a, `n${i % 500}`, { step: String(i) }));
  await Promise.all(writes);
  await expect.poll(() => slow.digest, patient).toBe(digestOf(await a.load()));
  expect(slow.records.namespaces.get('n499')).toEqual({ step: '4999' });
  expect(slow.calls).toBeLessThan(500);
}, 120_000);

test('20,000 records are read at a start, page by page, while others write', async () => {
  const a = await open('a');
  await Witness.of(a);
  await fill(a, 1, 20_000, 300);
  let writing = true;
  const busy = (async () => {
    for (let i = 0; writing; i++) await label(a, `busy-${i % 10}`, { step: String(i) });
  })();
  const began = performance.now();
  const b = await open('b');
  const witness = await Witness.of(b);
  const took = performance.now() - began;
  writing = false;
  await busy;
  expect(witness.records.namespaces.size).toBeGreaterThanOrEqual(20_000);
  expect(took).toBeLessThan(10_000);
  await expect.poll(() => witness.digest, patient).toBe(digestOf(await a.load()));
}, 120_000);

test.for([
  ['no more than it missed', false],
  ['all that there is, where etcd does not know what it missed', true],
] as const)('a host that starts again is told %s', async ([, compacts]) => {
  const a = await open('a');
  await Witness.of(a);
  await fill(a, 1, 5_000, 1_000);
  const directory = mkdtempSync('/tmp/vetch-missed-');
  try {
    const store = await openEmbeddedStore(directory);
    stores.push(store);
    await (await openPlace(place, 'b', { cache: new ClusterCache(store) })).close();
    await fill(a, 4_901, 5_100, 1_000);
    await a.transaction((writer) => {
      for (let i = 1; i <= 100; i++) writer.putNamespace(`n${i}`, undefined);
    });
    await a.transaction((writer) => writer.putPolicy(samplePolicy(1)));
    if (compacts) await servers.etcdctl('compact', String(await servers.revision()));
    const before = await sent();
    const b = await open('b', { cache: new ClusterCache(store) });
    const loaded = digestOf(await b.load());
    const told = (await sent()) - before;
    expect(loaded).toBe(digestOf(await a.load()));
    if (compacts) expect(told).toBeGreaterThan(5e6);
    else expect(told).toBeLessThan(1e6);
    // Of documents no two may have one number: whoever writes one has to know of all.
    await Witness.of(b);
    await b.transaction((writer) => writer.putPolicy(samplePolicy(2)));
    await expect.poll(async () => digestOf(await a.load()), patient).toBe(digestOf(await b.load()));
    await b.close();
    // And what it has put aside is the same.
    const again = await openPlace(place, 'b', { cache: new ClusterCache(store) });
    expect(digestOf(await again.load())).toBe(digestOf(await a.load()));
    await again.close();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A host that has been in the cluster, and what is put aside of it. */
async function beenThere(where: string, node: string) {
  const directory = mkdtempSync('/tmp/vetch-missed-');
  directories.push(directory);
  const store = await openEmbeddedStore(directory);
  stores.push(store);
  const cache = new ClusterCache(store);
  await (await openPlace(where, node, { cache })).close();
  return { cache, store };
}

test.for<[string, Partial<CachedCluster>]>([
  ['by another version', { schema: recordSchema - 1 }],
  ['under another name', { node: 'other' }],
])('a host goes by nothing but the cluster where the copy was written %s', async ([, written]) => {
  const a = await open('a');
  await Witness.of(a);
  await fill(a, 1, 10);
  const { cache, store } = await beenThere(place, 'b');
  const known = await cache.read();
  if (!known) throw new Error('nothing was put aside');
  const { keys, ...state } = known;
  expect(keys.has('namespaces/n3')).toBe(true);
  const lacks = new Map([['namespaces/n3', undefined]]);
  await cache.write({ ...state, ...written }, lacks);
  const b = await open('b', { cache: new ClusterCache(store) });
  expect(digestOf(await b.load())).toBe(digestOf(await a.load()));
});

test('a host that starts again follows an etcd that has gone back and then further than it was', async () => {
  await using lost = await EtcdServers.start();
  const where = etcdPlace(lost.endpoints, '/vetch');
  const a = await openPlace(where, 'a');
  await fill(a, 1, 200);
  await a.close();
  const { store } = await beenThere(where, 'b');
  const before = await lost.revision();
  await lost.lose(0);
  const other = await openPlace(where, 'a');
  opened.push(other);
  await Witness.of(other);
  for (let i = 0; i <= before; i++) await label(other, `n${100 + (i % 200)}`, { step: String(i) });
  const b = await openPlace(where, 'b', { cache: new ClusterCache(store) });
  opened.push(b);
  expect(digestOf(await b.load())).toBe(digestOf(await other.load()));
});

test('a change that cannot be put aside yet is not passed over by a later one', async () => {
  const a = await open('a');
  await Witness.of(a);
  const { store } = await beenThere(place, 'b');
  const full = Promise.withResolvers<void>();
  let refused = 0;
  class FullDisk extends ClusterCache {
    override async write(...[state, changes]: Parameters<ClusterCache['write']>): Promise<void> {
      if (refused > 0 || !changes.has('namespaces/first')) return super.write(state, changes);
      refused++;
      await full.promise;
      throw new Error('no space left');
    }
  }
  const b = await open('b', { cache: new FullDisk(store) });
  await Witness.of(b);
  const before = await servers.revision();
  await label(a, 'first', {});
  await expect.poll(() => refused, patient).toBe(1);
  const second = label(b, 'second', {});
  try {
    await expect.poll(async () => (await a.load()).namespaces.has('second'), patient).toBe(true);
    await sleep(200);
    expect((await new ClusterCache(store).read())?.position).toBeLessThanOrEqual(before);
  } finally {
    full.resolve();
    await second;
  }
  const copy = await new ClusterCache(store).read();
  expect(['first', 'second'].map((name) => copy?.keys.has(`namespaces/${name}`))).toEqual([true, true]);
});

test.for(['end', 'hang'] as const)(
  'a host starts again with what there is where watches of a member %s',
  async (watches) => {
    const a = await open('a');
    await Witness.of(a);
    await fill(a, 1, 10);
    const { store } = await beenThere(place, 'b');
    await fill(a, 5, 20);
    await using proxy = await EtcdProxy.start(servers.endpoints[0] ?? '', { watches });
    const slash = place.indexOf('/');
    const through = etcdPlace([proxy.endpoint, ...servers.endpoints.slice(1)], place.slice(slash));
    const times = { call: 2_000, silence: 60_000 };
    const b = await openPlace(through, 'b', { cache: new ClusterCache(store), times });
    opened.push(b);
    expect(digestOf(await b.load())).toBe(digestOf(await a.load()));
  },
);

test('a host joins over a slow link, also where large records follow many small ones', async () => {
  const a = await open('a');
  await Witness.of(a);
  for (let from = 1; from <= 6_000; from += 100) {
    await a.transaction((writer) => {
      for (let i = from; i < from + 100; i++) writer.putNamespace(`a${i}`, { i: String(i) });
    });
  }
  await fill(a, 1, 3_000, 3_000);
  await using proxy = await EtcdProxy.start(servers.endpoints[0] ?? '', { bytesPerSecond: 4e6 });
  const b = await openPlace(etcdPlace([proxy.endpoint], place.slice(place.indexOf('/'))), 'b', {
    signal: AbortSignal.timeout(20_000),
  });
  opened.push(b);
  expect(digestOf(await b.load())).toBe(digestOf(await a.load()));
});

/** Bytes that all members have sent to clients. */
async function sent(): Promise<number> {
  const texts = await Promise.all(servers.endpoints.map(async (at) => (await fetch(`http://${at}/metrics`)).text()));
  return texts.reduce((sum, text) => {
    return sum + Number(/^etcd_network_client_grpc_sent_bytes_total (\S+)/m.exec(text)?.[1] ?? 0);
  }, 0);
}

test('what a host told goes with it within its lease, and comes back with it', async () => {
  const witness = await Witness.of(await open('a'));
  const peer = await startPeer('b', 3);
  peer.child.stdin?.write('publish 150\n');
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(150);
  peer.child.kill('SIGSTOP');
  const began = performance.now();
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(0);
  expect(performance.now() - began).toBeLessThan(8_000);
  peer.child.kill('SIGCONT');
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(150);
});

test('a host that starts again is in at once, and what it does not tell any more goes', async () => {
  const witness = await Witness.of(await open('a'));
  const first = await open('b');
  first.publish((writer) => {
    writer.putEndpoint(sampleClusterEndpoint('b', 1));
    writer.putEndpoint(sampleClusterEndpoint('b', 2));
  });
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(2);
  await first.close();
  const again = await open('b');
  again.publish((writer) => writer.putEndpoint(sampleClusterEndpoint('b', 2)));
  await expect.poll(() => [...witness.records.endpoints.values()].map(({ name }) => name), patient).toEqual(['web-2']);
});

test('a host that ended by itself stays for longer than its lease, and its next run takes over without a gap', async () => {
  const witness = await Witness.of(await open('a'));
  const tell = (store: ClusterStore) =>
    store.publish((writer) => {
      writer.putNode({ version: '0.1.0', addresses: [], started: '2026-01-31T12:00:00.000Z' });
      for (let i = 1; i <= 150; i++) writer.putEndpoint(sampleClusterEndpoint('b', i));
    });
  const times = { lease: 2 };
  const first = await open('b', { times });
  tell(first);
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(150);
  await first.close();
  await new Promise((resolve) => setTimeout(resolve, 5_000));
  expect([witness.records.endpoints.size, witness.records.nodes.size]).toEqual([150, 1]);
  const again = await open('b', { times });
  const gone: string[] = [];
  (await open('c')).follow(({ endpoints, nodes }) => {
    for (const [key, record] of [...endpoints, ...nodes]) if (!record) gone.push(key);
  });
  // For as long as the new run has told nothing, what the old one told stays.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  tell(again);
  await again.settled();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect([witness.records.endpoints.size, gone]).toEqual([150, []]);
}, 30_000);

test('a host whose next run has no processor for longer than its lease is not forgotten, unless it stays so', async () => {
  const a = await open('a');
  const witness = await Witness.of(a);
  const times = { lease: 2, start: 12 };
  const first = await open('b', { times });
  first.publish((writer) => writer.putEndpoint(sampleClusterEndpoint('b', 1)));
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(1);
  await first.close();
  const gone: string[] = [];
  (await open('c')).follow(({ endpoints }) => {
    for (const [key, record] of endpoints) if (!record) gone.push(key);
  });
  const again = await startPeer('b', 2, 12);
  again.child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  expect([witness.records.endpoints.size, gone]).toEqual([1, []]);
  again.child.kill('SIGCONT');
  again.child.stdin?.write('publish 1\n');
  // It has a lease of its own by now, and that a short one.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect([witness.records.endpoints.size, gone]).toEqual([1, []]);
  again.child.kill('SIGSTOP');
  const began = performance.now();
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(0);
  expect(performance.now() - began).toBeLessThan(8_000);
  again.child.kill('SIGCONT');
  await again.stop('SIGKILL');
  // One that tells nothing at all.
  const silent = await open('d', { times });
  silent.publish((writer) => writer.putEndpoint(sampleClusterEndpoint('d', 1)));
  await expect
    .poll(() => [...witness.records.endpoints.keys()].some((key) => key.startsWith('d/')), patient)
    .toBe(true);
  await silent.close();
  const dead = await startPeer('d', 2, 4);
  dead.child.kill('SIGSTOP');
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(0);
}, 60_000);

test('what the last run told stays for as long as the next one shows signs of life, and has told nothing', async () => {
  const witness = await Witness.of(await open('a'));
  const times = { lease: 2, start: 4 };
  const first = await open('b', { times });
  first.publish((writer) => writer.putEndpoint(sampleClusterEndpoint('b', 1)));
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(1);
  await first.close();
  await open('b', { times });
  await sleep(9_000);
  expect(witness.records.endpoints.size).toBe(1);
}, 30_000);

/** Loses the answers about what a host has told, while that is said. */
class LossyClient extends EtcdClient {
  losing = true;

  override call<Request extends object, Response extends object>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    milliseconds?: number,
  ): Promise<Response> {
    const asksForEndpoints = 'rangeEnd' in request && 'key' in request && String(request.key).includes('/endpoints/');
    if (this.losing && asksForEndpoints) throw new AwayError('no answer in time');
    return super.call(method, request, milliseconds);
  }
}

test('a host that could not take over all that its last run told does so later', async () => {
  const witness = await Witness.of(await open('a'));
  const first = await open('b');
  first.publish((writer) => {
    for (const i of [1, 2]) writer.putEndpoint(sampleClusterEndpoint('b', i));
  });
  await expect.poll(() => witness.records.endpoints.size, patient).toBe(2);
  await first.close();
  const prefix = place.slice(place.indexOf('/'));
  const client = new LossyClient({ endpoints: servers.endpoints, prefix }, { ...defaultTimes, lease: 3 });
  const speaker = { instance: `${prefix} b`, run: 'next', process: holderRecord() };
  const presence = new Presence({ client, prefix, node: 'b', speaker });
  try {
    await expect(presence.claim()).rejects.toThrow('no answer in time');
    client.losing = false;
    presence.start();
    const still = { ...sampleClusterEndpoint('b', 2), node: 'b' };
    presence.set(`endpoints/b/${still.id}`, encodeRecord<'cluster-endpoints'>(still));
    await expect
      .poll(() => [...witness.records.endpoints.values()].map(({ name }) => name), { timeout: 8_000 })
      .toEqual(['web-2']);
  } finally {
    await presence.close();
    client.close();
  }
}, 30_000);

test('another host of the same name is refused for as long as the first is there', async () => {
  await open('a');
  await expect(open('a', { instance: 'another machine' })).rejects.toMatchObject({
    code: 'IN_USE',
    message: 'another host is in the cluster as a',
  });
});

test('two processes never take one address of a pool, and use all of it', async () => {
  const a = await open('a');
  await Witness.of(a);
  const network = { ...sampleNetwork(1), subnets: [{ cidr: '10.88.1.0/24', gateway: '10.88.1.1', aux: {} }] };
  await a.transaction((writer) => writer.putNetwork(network));
  const [b, c] = await Promise.all([startPeer('b'), startPeer('c')]);
  for (const peer of [b, c]) peer.child.stdin?.write('allot 126\n');
  const taken = await Promise.all(
    [b, c].map(async (peer) => (await peer.until(/allotted (.*)\n/, 60))[1]?.split(' ') ?? []),
  );
  expect(taken.map(({ length }) => length)).toEqual([126, 126]);
  expect(new Set(taken.flat()).size).toBe(252);
  await a.settled();
  expect((await a.load()).addresses.size).toBe(252);
}, 120_000);

test('documents that are applied on three hosts at once have numbers of their own', async () => {
  const stores = [await open('a'), await open('b'), await open('c')];
  const witnesses = await Promise.all(stores.map((store) => Witness.of(store)));
  const apply = async (host: number, name: string) => {
    const [store, witness] = [stores[host], witnesses[host]];
    for (;;) {
      const taken = Array.from(witness?.records.policies.values() ?? [], ({ number }) => number);
      const document = { ...samplePolicy(Math.max(0, ...taken) + 1), name };
      try {
        await store?.transaction((writer) => writer.putPolicy(document));
        witness?.records.policies.set(policyKey(document), document);
        return;
      } catch {
        await store?.settled();
      }
    }
  };
  await Promise.all([0, 1, 2].flatMap((host) => Array.from({ length: 5 }, (_, i) => apply(host, `p-${host}-${i}`))));
  await expect.poll(() => new Set(witnesses.map(({ digest }) => digest)).size, patient).toBe(1);
  const numbers = Array.from(witnesses[0]?.records.policies.values() ?? [], ({ number }) => number);
  expect(numbers.sort((x, y) => x - y)).toEqual(Array.from({ length: 15 }, (_, i) => i + 1));
}, 120_000);

test('what a host takes in advance of a hundred small networks goes into transactions that etcd takes', async () => {
  const networks = Array.from({ length: 100 }, (_, i) => {
    const subnets = [`10.77.${Math.floor(i / 8)}.${(i % 8) * 32}/27`];
    return {
      ...planned({ name: `n${i}`, driver: 'overlay', subnets }),
      id: i.toString(16).padStart(64, '0'),
      number: 2048 + i,
    };
  });
  const store = await open('a');
  for (let at = 0; at < networks.length; at += 50) {
    await store.transaction((writer) => {
      for (const network of networks.slice(at, at + 50)) writer.putNetwork(network);
    });
  }
  const book = new AddressBook('a', networks);
  const nobody = { usersOf: () => new Map<string, string>(), leaving: new Map<string, string>(), skip: 0 };
  const prepared = new Set(networks.map(({ id }) => id));
  for (let step = 0; step < 5; step++) {
    const { puts } = planHoldings({ book, networks, prepared, ...nobody });
    await store.transaction((writer) => {
      for (const held of puts) writer.putAddress(held);
    });
    for (const held of puts) book.put(held);
  }
  expect((await store.load()).addresses.size).toBe(100);
});
