import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClusterCache } from './cluster-cache.ts';
import { type EmbeddedStore, openEmbeddedStore } from './embedded.ts';

const state = { clusterId: '7', prefix: '/vetch', position: 9 };
const keyed = (revision: number) => ({ revision, text: `record ${revision}` });
const key = (n: number) => `namespaces/n${n}`;

let directory: string;
let store: EmbeddedStore;
let cache: ClusterCache;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vetch-cache-'));
  store = await openEmbeddedStore(directory);
  cache = new ClusterCache(store);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Names of facts that it has, without those of pages. */
const changed = async () => [...(await store.facts('cluster/change/')).keys()];

test('what a host has put aside of a cluster it reads again, with what has changed since', async () => {
  expect(await cache.read()).toBeUndefined();
  const all = new Map(Array.from({ length: 2_500 }, (_, n) => [key(n), keyed(n + 1)]));
  await cache.follow(state, all, undefined);
  expect([(await store.facts('cluster/page/')).size, await changed()]).toEqual([3, []]);
  expect(await cache.read()).toEqual({ ...state, keys: all });
  const later = { ...state, position: 3_000 };
  await cache.write(
    later,
    new Map([
      [key(1), keyed(2_600)],
      [key(2), undefined],
      [key(9_999), keyed(2_601)],
    ]),
  );
  const known = await cache.read();
  expect([known?.position, known?.keys.size]).toEqual([3_000, 2_500]);
  expect([known?.keys.get(key(1)), known?.keys.has(key(2))]).toEqual([keyed(2_600), false]);
  // What was gone is back.
  await cache.follow(later, new Map([[key(2), keyed(2_700)]]), known);
  expect((await cache.read())?.keys.get(key(2))).toEqual(keyed(2_700));
  expect(await changed()).toHaveLength(3);
});

test('many changes become pages', async () => {
  await cache.follow(state, new Map([[key(0), keyed(1)]]), undefined);
  await cache.write(
    state,
    new Map(Array.from({ length: 10_000 }, (_, n) => [key(n), n === 5 ? undefined : keyed(n + 2)])),
  );
  const known = await cache.read();
  await cache.follow(state, new Map([[key(7), undefined]]), known);
  expect(await changed()).toEqual([]);
  const after = await cache.read();
  expect([after?.keys.size, after?.keys.has(key(5)), after?.keys.has(key(7))]).toEqual([9_998, false, false]);
});

test('what a version before pages has put aside holds, where that has run last', async () => {
  await cache.follow(state, new Map([[key(0), keyed(1)]]), undefined);
  await store.putFact('cluster/state', JSON.stringify({ ...state, position: 20 }));
  await store.putFact(`cluster/record/${key(1)}`, '15 its record');
  const known = await cache.read();
  expect(known).toEqual({ ...state, position: 20, keys: new Map([[key(1), { revision: 15, text: 'its record' }]]) });
  // While etcd is away nothing makes pages.
  await cache.write(
    { ...state, position: 20 },
    new Map([
      [key(2), keyed(20)],
      [key(1), undefined],
    ]),
  );
  expect((await cache.read())?.keys).toEqual(new Map([[key(2), keyed(20)]]));
  await cache.write(
    { ...state, position: 20 },
    new Map([
      [key(2), undefined],
      [key(1), { revision: 15, text: 'its record' }],
    ]),
  );
  await cache.follow({ ...state, position: 21 }, new Map(), known);
  expect([await store.fact('cluster/state'), (await store.facts('cluster/record/')).size]).toEqual([undefined, 0]);
  expect(await cache.read()).toEqual({ ...known, position: 21 });
});

test('of what has come and gone since the pages were made nothing stays', async () => {
  await cache.follow(state, new Map([[key(0), keyed(1)]]), undefined);
  const comeAndGo = async () => {
    await cache.write(state, new Map([[key(1), keyed(2)]]));
    await cache.write(
      state,
      new Map([
        [key(0), undefined],
        [key(1), undefined],
      ]),
    );
    expect(await changed()).toEqual([key(0)]);
    expect((await cache.read())?.keys).toEqual(new Map());
  };
  await comeAndGo();
  // As after a start without etcd.
  cache = new ClusterCache(store);
  await cache.read();
  await comeAndGo();
});

test('of a cluster that a host has left nothing stays', async () => {
  await cache.follow(state, new Map([[key(0), keyed(1)]]), undefined);
  await cache.write(state, new Map([[key(1), keyed(2)]]));
  await cache.clear();
  expect([await cache.read(), (await store.facts('cluster/')).size]).toEqual([undefined, 0]);
});
