/**
 * What compiling costs, in milliseconds of this process: 10,000 documents over 1,000 identities from cold, and one change
 * of each kind among them.
 *
 *   node bench/programs/policy-compile.ts [documents] [identities]
 */
import { type PolicyDocument, policyKey } from '../../src/model/policy.ts';
import { PolicyCompiler, type PolicyUpdate } from '../../src/policy/compiler.ts';
import { documentOf, endpointOf } from '../tools/policy-world.ts';

const documents = Number(process.argv[2] ?? 10_000);
const identities = Number(process.argv[3] ?? 1000);
const repeats = 101;

function elapsed(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function report(what: string, compiler: PolicyCompiler, update: (i: number) => PolicyUpdate): void {
  const times: number[] = [];
  let changed = 0;
  for (let i = 0; i < repeats; i++) {
    const change = update(i);
    const start = performance.now();
    compiler.update(change);
    const { pairs, standings, portSets } = compiler.takeChanges();
    times.push(performance.now() - start);
    changed = Math.max(changed, pairs.length + standings.size + portSets.size);
  }
  times.sort((a, b) => a - b);
  const [median = 0, worst = 0] = [times[repeats >> 1], times.at(-1)];
  process.stdout.write(
    `${what}: ${median.toFixed(2)} ms at the median, ${worst.toFixed(2)} at most; up to ${changed} entries\n`,
  );
}

const all = Array.from({ length: documents }, (_, i) => documentOf(i, identities));
const cold: PolicyUpdate = {
  documents: new Map(all.map((one) => [policyKey(one), one])),
  endpoints: new Map(Array.from({ length: identities }, (_, i) => [i + 1, endpointOf(i + 1, i)])),
  hostAddresses: ['192.0.2.1', 'fd00::ffff'],
};
let compiler = new PolicyCompiler({ node: 'node-1' });
for (const run of ['first', 'second', 'third']) {
  compiler = new PolicyCompiler({ node: 'node-1' });
  const start = performance.now();
  const cpu = elapsed(() => compiler.update(cold));
  const wall = performance.now() - start;
  process.stdout.write(`cold, ${run} time: ${wall.toFixed(0)} ms, ${cpu.toFixed(0)} of CPU\n`);
}
compiler.takeChanges();
const { pairs, portSets, blocks, standings } = compiler.tables;
const entries = [...portSets.values()].reduce((sum, set) => sum + set.length, 0);
process.stdout.write(
  `${documents} documents, ${standings.size} endpoints: ${pairs.size} pairs, ${portSets.size} port sets of ${entries} entries, ${blocks.size} blocks\n`,
);

report('one document', compiler, (i) => {
  const changed = documentOf((i * 97) % documents, identities, 2000 + i);
  return { documents: new Map([[policyKey(changed), changed]]) };
});
report('one endpoint of a known kind', compiler, (i) => ({
  endpoints: new Map([[identities + 1 + i, endpointOf(identities + 1 + i, (i * 31) % identities)]]),
}));
report('one endpoint of a new kind', compiler, (i) => ({
  endpoints: new Map([
    [identities + 1 + i, endpointOf(identities + 1 + i, (i * 31) % identities, { tier: `tier-${i % 7}` })],
  ]),
}));
report("one endpoint's label", compiler, (i) => ({
  endpoints: new Map([[1 + i, endpointOf(1 + i, i, { tier: `tier-${(i + 1) % 5}` })]]),
}));
report('a document with a label key that no other uses', compiler, (i) => {
  const base = documentOf(i, identities);
  if (base.kind !== 'NetworkPolicy') throw new Error('a NetworkPolicy was made');
  const one: PolicyDocument = { ...base, spec: { ...base.spec, podSelector: { matchLabels: { [`key-${i}`]: 'a' } } } };
  return { documents: new Map([[policyKey(one), one]]) };
});
report('a document with a block that no other names', compiler, (i) => {
  const base = documentOf(i, identities);
  if (base.kind !== 'NetworkPolicy') throw new Error('a NetworkPolicy was made');
  const from = [{ ipBlock: { cidr: `10.0.${i}.0/24` } }];
  const one: PolicyDocument = { ...base, spec: { ...base.spec, ingress: [{ from }] } };
  return { documents: new Map([[policyKey(one), one]]) };
});
