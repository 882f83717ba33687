/**
 * Times once how long 10,000 documents over 1,000 identities take from a process that has compiled nothing yet and an
 * empty kernel until they count: compiled, and loaded into the maps. In namespaces of this process's own; prints
 * `{"compile": MS, "load": MS, "pairs": N, "ports": N}`.
 *
 *   sudo node bench/programs/policy-cold.ts [documents] [identities]
 */
import { policyKey } from '../../src/model/policy.ts';
import { PolicyCompiler } from '../../src/policy/compiler.ts';
import { PolicyMaps } from '../../src/reconcile/policy/policy-maps.ts';
import { World } from '../../test/kernel/world/world.ts';
import { documentOf, endpointOf } from '../tools/policy-world.ts';
import { mapGeneration, removePolicy } from '../tools/world-policy.ts';

const documents = Number(process.argv[2] ?? 10_000);
const identities = Number(process.argv[3] ?? 1000);

using world = World.create({});
removePolicy(world);
const policy = await PolicyMaps.open(world.maps, mapGeneration(world), (error) => {
  throw error;
});
const all = Array.from({ length: documents }, (_, i) => documentOf(i, identities));
const cold = {
  documents: new Map(all.map((one) => [policyKey(one), one])),
  endpoints: new Map(Array.from({ length: identities }, (_, i) => [i + 1, endpointOf(i + 1, i)])),
  hostAddresses: ['192.0.2.1', 'fd00::ffff'],
};

const start = performance.now();
const compiler = new PolicyCompiler({ node: 'node-1' });
compiler.update(cold);
const compiled = performance.now();
await policy.apply(compiler.tables, compiler.takeChanges());
const loaded = performance.now();
await policy.settled();

const { pairs, portSets } = policy.applied;
const ports = [...portSets.values()].reduce((sum, set) => sum + set.length, 0);
if (pairs.size < documents || world.maps.policy.count() !== pairs.size || world.maps.policyPorts.count() !== ports) {
  throw new Error(`the kernel has ${world.maps.policy.count()} pairs and ${world.maps.policyPorts.count()} ports`);
}
const figures = { compile: compiled - start, load: loaded - compiled, pairs: pairs.size, ports };
process.stdout.write(`${JSON.stringify(figures)}\n`);
