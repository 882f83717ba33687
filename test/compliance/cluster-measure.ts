/** Measures the cluster's store on three members of etcd on this machine: node test/compliance/cluster-measure.ts */
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { EtcdServers } from '../lab/etcd-servers.ts';
import { etcdPlace, openPlace } from './etcd-place.ts';
import { samplePolicy } from './store-records.ts';
import { Witness } from './witness.ts';

await using servers = await EtcdServers.start({ count: 3 });
const place = etcdPlace(servers.endpoints, '/vetch/measure');

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
  return `median ${at(0.5)} ms, 99 % ${at(0.99)} ms`;
}

async function label(store: ClusterStore, name: string, step: number): Promise<void> {
  await store.transaction((writer) => writer.putNamespace(name, { step: String(step) }));
}

const a = await openPlace(place, 'a');
const b = await openPlace(place, 'b');
await a.load();
await b.load();

const changes: number[] = [];
const reach: number[] = [];
let told = Promise.withResolvers<void>();
b.follow(() => told.resolve());
for (let i = 0; i < 500; i++) {
  told = Promise.withResolvers();
  const began = performance.now();
  await label(a, 'shop', i);
  changes.push(performance.now() - began);
  await told.promise;
  reach.push(performance.now() - began);
}
console.log(`a change is made: ${quantiles(changes)}`);
console.log(`a change has reached another host's follower: ${quantiles(reach)}`);

const witness = await Witness.of(b);
let began = performance.now();
await Promise.all(Array.from({ length: 5_000 }, (_, i) => label(a, `n${i}`, i)));
while (witness.records.namespaces.size < 5_001) await new Promise((resolve) => setTimeout(resolve, 1));
console.log(
  `5,000 changes, one transaction each, have reached it: ${((performance.now() - began) / 1_000).toFixed(1)} s`,
);

for (let from = 0; from < 20_000; from += 100) {
  await a.transaction((writer) => {
    for (let i = from + 1; i <= from + 100; i++) writer.putPolicy(samplePolicy(i));
  });
}
const before = process.memoryUsage().rss;
began = performance.now();
const c = await openPlace(place, 'c');
const { policies, namespaces } = await c.load();
const took = performance.now() - began;
const memory = (process.memoryUsage().rss - before) / 1e6;
console.log(`${policies.size + namespaces.size} records at a start: ${took.toFixed(0)} ms, ${memory.toFixed(0)} MB`);
await Promise.all([a, b, c].map((store) => store.close()));
