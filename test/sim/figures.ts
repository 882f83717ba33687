import { loadavg } from 'node:os';
import { agreementOf } from './agreement.ts';
import type { EtcdLoad } from './etcd-load.ts';
import {
  type ChangeFigures,
  type ChangeKind,
  type FailureFigures,
  type FillFigures,
  measureChanges,
  measureCold,
  measureFill,
  measureIdle,
  measureRate,
  type RateFigures,
} from './measure.ts';
import { errorsOf } from './protocol.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';

/** All that one simulation shows. */
export interface Figures {
  readonly hosts: number;
  readonly whole: number;
  readonly endpoints: number;
  readonly networks: number;
  /** Of the machine, before and after: what else ran there. */
  readonly loadAverage: readonly [number, number];
  readonly fill: FillFigures;
  readonly changes: Record<ChangeKind, ChangeFigures>;
  readonly rates: readonly RateFigures[];
  /** It is alone in its process. */
  readonly cold: {
    readonly milliseconds: number;
    readonly known: number;
    /** Bytes, after a collection: of its process, and of V8's heap. */
    readonly memory: number;
    readonly heap: number;
    /** Seconds, with the start of Node.js. */
    readonly cpu: number;
  };
  readonly failure: FailureFigures;
  /** Milliseconds of a host's pass. */
  readonly pass: number;
  /** A second, while nothing changes. */
  readonly idle: { readonly etcd: EtcdLoad; readonly hostCpuMilliseconds: number };
  readonly etcdMemory: number;
  readonly watchers: number;
}

export interface Effort {
  /** Of each kind. */
  readonly changes: number;
  readonly rates: readonly number[];
  /** Seconds of each rate. */
  readonly rateSeconds: number;
}

/** Runs one simulation from its start to its end. @throws Error a host is not as etcd has it, or has complained */
export async function simulate(options: SimulationOptions, effort: Effort): Promise<Figures> {
  const { hosts, endpoints, networks, say = () => {} } = options;
  const [loadBefore = 0] = loadavg();
  await using simulation = await Simulation.start(options);
  const whole = simulation.hosts;
  const fill = await measureFill(simulation);
  say(
    `${endpoints} endpoints attached in ${fill.attachedSeconds.toFixed(1)} s, everywhere after ${fill.seconds.toFixed(1)} s`,
  );
  const seconds = 10;
  const cpuBefore = await simulation.cpuOfWhole();
  const idle = await measureIdle(simulation, seconds);
  const hostCpuMilliseconds = (1_000 * ((await simulation.cpuOfWhole()) - cpuBefore)) / seconds / whole;
  const changes = await measureChanges(simulation, effort.changes, idle);
  for (const [kind, { all }] of Object.entries(changes)) {
    say(`${kind}: in all maps after ${all.median.toFixed(0)} ms at the median, ${all.max.toFixed(0)} at most`);
  }
  const rates: RateFigures[] = [];
  for (const rate of effort.rates) {
    const figures = await measureRate(simulation, rate, effort.rateSeconds);
    say(`${rate} a second: ${figures.all.median.toFixed(0)} ms at the median, ${figures.all.max.toFixed(0)} at most`);
    rates.push(figures);
  }
  const { cold, failure } = await measureCold(simulation, 10);
  say(`a cold host: ${cold.milliseconds.toFixed(0)} ms; one that died is gone after ${failure.last.toFixed(1)} s`);
  const [passed] = (await simulation.processes[0]?.ask('passes', 1)) ?? [];
  const { wanted, seen, faults } = await agreementOf(simulation);
  const said = (await simulation.all((process) => process.ask('usage', false))).flatMap(({ warnings }) => warnings);
  const problems = [...faults, ...seen.filter((one) => one !== wanted), ...errorsOf(said)];
  if (passed?.repairs !== 0) problems.push(`a pass found ${passed?.repairs} entries that were wrong`);
  if (problems.length > 0)
    throw new Error(`the hosts are not as etcd has it, ${wanted}:\n${problems.slice(0, 20).join('\n')}`);
  const { memory: etcdMemory, watchers } = await simulation.etcdState();
  const [loadAfter = 0] = loadavg();
  return {
    ...{ hosts, whole, endpoints, networks, loadAverage: [loadBefore, loadAfter] },
    ...{ fill, changes, rates, cold, failure, pass: passed?.milliseconds ?? 0 },
    ...{ idle: { etcd: idle, hostCpuMilliseconds }, etcdMemory, watchers },
  };
}
