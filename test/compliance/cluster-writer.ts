/** Writes pairs of records for ever, and prints the number of each pair once it is acknowledged: to be killed. */
import { writeSync } from 'node:fs';
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { openEmbeddedStore } from '../../src/store/embedded.ts';
import { openPlace } from './etcd-place.ts';
import { samplePolicy } from './store-records.ts';

const [, , kind, place = ''] = process.argv;

async function open(): Promise<ClusterStore> {
  if (kind === 'embedded') return (await openEmbeddedStore(place)).cluster;
  if (kind === 'etcd') return openPlace(place, 'a');
  throw new Error(`there is no store ${kind}`);
}

const store = await open();
await store.load();
for (let number = 1; ; number++) {
  await store.transaction((writer) => {
    writer.putPolicy(samplePolicy(number));
    writer.putNamespace(`namespace-${number}`, { number: String(number) });
  });
  writeSync(1, `${number}\n`);
}
