/**
 * Times how long 10,000 entries of policy take into the kernel's maps, until they count, in namespaces of this process's
 * own, and what a new flow costs that policy judges; prints `{"NAME": [figures, …]}`.
 *
 *   sudo node bench/programs/policy-load.ts
 */
import { DecisionKind, DecisionLayout, PolicyDirection } from '../../src/maps/generated/abi.ts';
import { type PolicyPair, type PolicyTables, type PortEntry, pairKey } from '../../src/policy/tables.ts';
import { allKeys } from '../../src/reconcile/policy/difference.ts';
import { PolicyMaps } from '../../src/reconcile/policy/policy-maps.ts';
import { World } from '../../test/kernel/world/world.ts';
import { mapGeneration } from '../tools/world-policy.ts';

const runs = 31;
const subjects = 1000;

using world = World.create({});
const policy = await PolicyMaps.open(world.maps, mapGeneration(world), (error) => {
  throw error;
});
const { standings } = policy.applied;

/** Each subject with eight peers, its default, and a set of ports of its own with one port in it. */
function tables(port: number): PolicyTables {
  const word = (kind: number) => ((kind << DecisionLayout.KIND_SHIFT) | (1 << DecisionLayout.DOCUMENT_SHIFT)) >>> 0;
  const [allow, deny] = [word(DecisionKind.ALLOW), word(DecisionKind.DENY)];
  const pairs = new Map<string, PolicyPair>();
  const portSets = new Map<number, readonly PortEntry[]>();
  for (let index = 0; index < subjects; index++) {
    const subject = 1000 + index;
    const set = 1 + index + port * subjects;
    portSets.set(set, [{ protocol: 6, port, bits: 16, decision: allow }]);
    for (let peer = 0; peer <= 8; peer++) {
      const decision = peer === 0 ? deny : set;
      const pair = {
        subject,
        peer: peer === 0 ? 0 : 2000 + peer,
        direction: PolicyDirection.INGRESS,
        decision,
      } as const;
      pairs.set(pairKey(pair.subject, pair.peer, pair.direction), pair);
    }
  }
  return { standings, blocks: new Map(), learned: new Map(), pairs, portSets };
}

const empty: PolicyTables = {
  ...{ standings, blocks: new Map(), learned: new Map(), pairs: new Map(), portSets: new Map() },
};
const results: Record<'load' | 'replace', number[]> = { load: [], replace: [] };
for (let run = 0; run < runs; run++) {
  for (const [name, next] of [
    ['load', tables(2 * run)],
    ['replace', tables(2 * run + 1)],
  ] as const) {
    const keys = allKeys(policy.applied, next);
    const start = performance.now();
    await policy.apply(next, keys);
    results[name].push(performance.now() - start);
    await policy.settled();
  }
  await policy.apply(empty, allKeys(policy.applied, empty));
  await policy.settled();
}
process.stdout.write(`${JSON.stringify(results)}\n`);
