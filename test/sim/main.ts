/**
 * Simulates 20 hosts with 5,000 endpoints and 200 with 50,000, and writes docs/simulation.md and docs/simulation.json.
 *
 *   node test/sim/main.ts [WHOLE]
 *
 * WHOLE of the 200 hosts are whole; default: as many as there is memory for.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { machineFacts, versions } from '../../bench/report/machine.ts';
import { type Effort, type Figures, simulate } from './figures.ts';
import { markdown } from './report.ts';
import type { SimulationOptions } from './simulation.ts';
import { UnsyncedDirectory } from './unsynced-directory.ts';

/** Bytes that a whole host takes among others: of itself, and of each endpoint. Their texts lie in a process once. */
const [ownMemory, endpointMemory] = [5e6, 1_200];
/** That each process takes beside its hosts, and that etcd does. */
const [processMemory, etcdMemory] = [300e6, 1e9];

const small: SimulationOptions = { hosts: 20, endpoints: 5_000, networks: 4, processes: 2, cache: true };
const large: SimulationOptions = {
  hosts: 200,
  endpoints: 50_000,
  networks: 8,
  processes: 2 * availableParallelism(),
  cache: true,
};
/** Of changes a second that two processors carry to so many whole hosts. */
const effort = (whole: number): Effort => ({ changes: 20, rates: whole > 50 ? [2, 10] : [10, 50], rateSeconds: 10 });

/** Of a whole host, with a quarter for garbage: V8 would let lie several times as much as is in use, where it may. */
const hostMemory = 1.25 * (ownMemory + large.endpoints * endpointMemory);
const fitting = Math.floor((0.9 * freemem() - large.processes * processMemory - etcdMemory) / hostMemory);
const whole = Math.max(1, Math.min(large.hosts, Number(process.argv[2] ?? fitting)));
const heap = Math.ceil((processMemory + Math.ceil(whole / large.processes) * hostMemory) / 2 ** 20);
using directory = new UnsyncedDirectory();
const common = { heap, etcdFirst: true, directory: directory.path, say: (text: string) => console.log(text) };

const etcd = /\d+(?:\.\d+)+/.exec(spawnSync('etcd', ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? 'unknown';
const { vetch = '', node = '' } = versions();
const docs = new URL('../../docs/', import.meta.url);
const limits = readFileSync(new URL('limits.md', import.meta.url), 'utf8');
const simulations: Figures[] = [];
for (const options of [
  { ...small, whole: small.hosts },
  { ...large, whole },
]) {
  console.log(`\n${options.hosts} hosts, ${options.endpoints} endpoints`);
  simulations.push(await simulate({ ...options, ...common }, effort(options.whole)));
  const report = {
    measured: new Date().toISOString(),
    ...machineFacts(),
    versions: { vetch, node, etcd },
    simulations,
  };
  writeFileSync(new URL('simulation.json', docs), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(new URL('simulation.md', docs), markdown(report, limits));
}
