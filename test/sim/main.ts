/**
 * Simulates 20 hosts with 5,000 endpoints and 200 with 50,000, and writes docs/simulation.md and docs/simulation.json.
 *
 *   node test/sim/main.ts [WHOLE]
 *
 * WHOLE of the 200 hosts are whole; default: as many as there is memory for.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, freemem } from 'node:os';
import { machineFacts, versions } from '../../bench/report/machine.ts';
import { type Effort, type Figures, simulate } from './figures.ts';
import { markdown } from './report.ts';
import type { SimulationOptions } from './simulation.ts';

/** Bytes that a whole host takes: of itself, and of each endpoint. */
const [ownMemory, endpointMemory] = [60e6, 4_000];

const small: SimulationOptions = { hosts: 20, endpoints: 5_000, networks: 4, processes: 2, cache: true };
const large: SimulationOptions = {
  hosts: 200,
  endpoints: 50_000,
  networks: 8,
  processes: 2 * availableParallelism(),
  cache: true,
};
const effort: Effort = { changes: 20, rates: [10, 50], rateSeconds: 10 };

const fitting = Math.floor((0.6 * freemem()) / (ownMemory + large.endpoints * endpointMemory));
const whole = Math.max(1, Math.min(large.hosts, Number(process.argv[2] ?? fitting)));
// One disk is not to be the disk of all: so many hosts have as many.
const memory = '/dev/shm';
const common = {
  etcdFirst: true,
  ...(existsSync(memory) ? { directory: memory } : {}),
  say: (text: string) => console.log(text),
};

const etcd = /\d+(?:\.\d+)+/.exec(spawnSync('etcd', ['--version'], { encoding: 'utf8' }).stdout)?.[0] ?? 'unknown';
const { vetch = '', node = '' } = versions();
const docs = new URL('../../docs/', import.meta.url);
const limits = readFileSync(new URL('limits.md', import.meta.url), 'utf8');
const simulations: Figures[] = [];
for (const options of [small, { ...large, whole }]) {
  console.log(`\n${options.hosts} hosts, ${options.endpoints} endpoints`);
  simulations.push(await simulate({ ...options, ...common }, effort));
  const report = {
    measured: new Date().toISOString(),
    ...machineFacts(),
    versions: { vetch, node, etcd },
    simulations,
  };
  writeFileSync(new URL('simulation.json', docs), `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(new URL('simulation.md', docs), markdown(report, limits));
}
