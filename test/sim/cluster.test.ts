/**
 * Twenty hosts and 5,000 endpoints on one etcd: the control planes are the daemon's, the maps are in memory. What is
 * counted is asserted; of times only what hangs, for machines differ. `make sim` measures.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { slowness } from '../lab/process.ts';
import { agreementOf } from './agreement.ts';
import type { EtcdLoad } from './etcd-load.ts';
import { type ChangeKind, measureChanges, measureCold, measureFill, measureIdle, measureRate } from './measure.ts';
import { errorsOf } from './protocol.ts';
import { Simulation } from './simulation.ts';

const [hosts, endpoints] = [20, 5_000];
/** Milliseconds. */
const long = 300_000 * slowness;

let simulation: Simulation;
let idle: EtcdLoad;

beforeAll(async () => {
  simulation = await Simulation.start({ hosts, endpoints, networks: 4, processes: 2, cache: true });
}, long);

afterAll(() => simulation[Symbol.asyncDispose](), long);

test('hosts that attach all at once learn of all endpoints', { timeout: long }, async () => {
  const { seconds, etcd } = await measureFill(simulation);
  console.log(
    `${endpoints} endpoints on ${hosts} hosts: ${seconds.toFixed(1)} s, ${etcd.writes.toFixed(2)} writes each`,
  );
  expect(etcd.writes).toBeLessThan(5);
});

test("every host's maps say what etcd holds, and no address is given twice", { timeout: long }, async () => {
  const { wanted, seen, faults } = await agreementOf(simulation);
  expect(wanted).toMatch(/^5000 endpoints/);
  expect({ seen, faults }).toEqual({ seen: [wanted], faults: [] });
});

test('a change reaches the maps of all hosts, and costs etcd as many writes as with one host', {
  timeout: long,
}, async () => {
  idle = await measureIdle(simulation, 3);
  const figures = await measureChanges(simulation, 20, idle);
  for (const [kind, { all, etcd }] of Object.entries(figures)) {
    const load = `${etcd.writes.toFixed(1)} writes, ${etcd.events.toFixed(0)} events`;
    console.log(`${kind}: median ${all.median.toFixed(0)} ms, max ${all.max.toFixed(0)} ms; ${load}`);
    expect(all.median).toBeLessThan(1_000 * slowness);
  }
  const writes = (kind: ChangeKind) => figures[kind].etcd.writes;
  expect(writes('attach')).toBeLessThan(6);
  expect(writes('detach')).toBeLessThan(6);
  expect(writes('label')).toBeLessThan(2);
  expect(writes('apply')).toBeLessThan(4);
  // With what its maker holds of it in advance, and nobody else.
  expect(writes('network')).toBeLessThan(15);
});

test('changes that come at a rate arrive, too', { timeout: long }, async () => {
  const { all } = await measureRate(simulation, 20, 6);
  console.log(`at 20 changes a second: median ${all.median.toFixed(0)} ms, max ${all.max.toFixed(0)} ms`);
  expect(all.count).toBe(120);
});

test('a host that joins is in step, and one that dies is gone with its lease', { timeout: long }, async () => {
  const { cold, failure } = await measureCold(simulation, 10);
  console.log(`a cold host: ${cold.milliseconds.toFixed(0)} ms; one that died: ${failure.last.toFixed(1)} s`);
  expect(cold.known).toBe(endpoints);
  expect(cold.milliseconds).toBeLessThan(10_000 * slowness);
  expect(failure.last).toBeLessThan(25);
});

test('after all of that every host is as etcd has it, and a pass finds nothing to repair', {
  timeout: long,
}, async () => {
  const { wanted, seen, faults } = await agreementOf(simulation);
  expect({ seen, faults }).toEqual({ seen: [wanted], faults: [] });
  const passes = (await simulation.all((process) => process.ask('passes', hosts))).flat();
  expect(passes.map(({ repairs }) => repairs)).toEqual(passes.map(() => 0));
  const said = (await simulation.all((process) => process.ask('usage', false))).flatMap(({ warnings }) => warnings);
  expect(errorsOf(said)).toEqual([]);
});
