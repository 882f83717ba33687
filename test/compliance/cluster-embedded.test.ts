import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { expect, test } from 'vitest';
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { openEmbeddedStore } from '../../src/store/embedded.ts';
import { clusterCompliance } from './cluster.ts';
import { samplePolicy } from './store-records.ts';

const writer = fileURLToPath(new URL('cluster-writer.ts', import.meta.url));

async function directory() {
  const place = await mkdtemp(join(tmpdir(), 'vetch-cluster-'));
  return { place, remove: () => rm(place, { recursive: true, force: true }) };
}

/** The part of a host's store that stands for a cluster of its own; closing it closes the store. */
async function openCluster(place: string): Promise<ClusterStore> {
  const store = await openEmbeddedStore(place);
  const { cluster } = store;
  return {
    load: () => cluster.load(),
    follow: (follower) => cluster.follow(follower),
    transaction: (change) => cluster.transaction(change),
    settled: () => cluster.settled(),
    publish: (change) => cluster.publish(change),
    told: () => cluster.told(),
    warnings: cluster.warnings,
    close: () => store.close(),
  };
}

clusterCompliance({
  name: 'embedded',
  place: directory,
  open: openCluster,
  writer: (place) => [process.execPath, '--experimental-strip-types', '--no-warnings', writer, 'embedded', place],
  spansHosts: false,
});

test.each([
  ['NetworkPolicy/a/b', '{"schema":2,"kind":"Other"}', 'INTERNAL', /policies\/NetworkPolicy\/a\/b .*kind/],
  ['NetworkPolicy/a/b', '{"schema":4}', 'UNSUPPORTED', /policies\/NetworkPolicy\/a\/b .*schema 4.* 3/],
])('the embedded cluster store names the record %s that it cannot read', async (key, value, code, message) => {
  const { place, remove } = await directory();
  const first = await openCluster(place);
  await first.transaction((write) => write.putPolicy(samplePolicy(1)));
  await first.close();
  const root = open({ path: join(place, 'state.mdb'), noSubdir: true, encoding: 'string', maxDbs: 16 });
  await root.openDB({ name: 'policies', encoding: 'string' }).put(key, value);
  await root.close();
  const store = await openCluster(place);
  await expect(store.load()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  await store.close();
  await remove();
});
