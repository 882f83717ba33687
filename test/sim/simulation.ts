import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtcdServers } from '../lab/etcd-servers.ts';
import { type EtcdState, etcdState } from './etcd-load.ts';
import { now } from './journal.ts';
import { policyOf } from './labels.ts';
import type { Arrivals, Change, Made } from './protocol.ts';
import { WorkerProcess } from './worker-process.ts';

export interface SimulationOptions {
  readonly hosts: number;
  /** How many of them are whole (`SimulatedHost`); the others are thin (`ThinHost`). Default: all. */
  readonly whole?: number;
  /** Of all hosts together; a multiple of their number. */
  readonly endpoints: number;
  readonly networks: number;
  /** Processes for the hosts. */
  readonly processes: number;
  /** Whether each host keeps the cluster's copy on its disk. */
  readonly cache: boolean;
  /** Where the hosts' states lie. Default: a directory of its own below the machine's for temporary files. */
  readonly directory?: string;
  /** Whether etcd goes before all else that runs on this machine. Only root may. */
  readonly etcdFirst?: boolean;
  /** Megabytes of V8's heap that each process may take. Default: 8,000. */
  readonly heap?: number;
  readonly say?: (line: string) => void;
}

/** When a change was in the maps of the hosts: milliseconds after it was asked for. */
export interface Arrival extends Arrivals {
  readonly made: Made;
}

interface Placed {
  readonly process: WorkerProcess;
  readonly index: number;
}

/** Of one process. */
const thinOfProcess = 100;

/** Milliseconds after which what has not happened does not happen. */
export const patience = 120_000;

/** Hosts in some processes, and one etcd. */
export class Simulation implements AsyncDisposable {
  readonly options: SimulationOptions;
  readonly #etcd: EtcdServers;
  readonly #directory: string;
  readonly #processes: WorkerProcess[] = [];
  /** Whole ones. */
  readonly #hosts: Placed[] = [];
  readonly thinHosts: Placed[] = [];
  #next = 0;

  private constructor(options: SimulationOptions, etcd: EtcdServers, directory: string) {
    this.options = options;
    this.#etcd = etcd;
    this.#directory = directory;
  }

  /** With all hosts, the networks and two documents in each of them, and no endpoint. */
  static async start(options: SimulationOptions): Promise<Simulation> {
    // In a cluster it has machines of its own, and does not wait behind the hosts.
    const etcd = await EtcdServers.start({ first: options.etcdFirst ?? false });
    const directory = mkdtempSync(join(options.directory ?? tmpdir(), 'vetch-simulation-'));
    const simulation = new Simulation(options, etcd, directory);
    try {
      await simulation.#startHosts();
    } catch (error) {
      await simulation[Symbol.asyncDispose]();
      throw error;
    }
    return simulation;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process[Symbol.asyncDispose]()));
    await this.#etcd[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get networks(): readonly string[] {
    return Array.from({ length: this.options.networks }, (_, i) => `net${i}`);
  }

  /** How many whole hosts there are now. */
  get hosts(): number {
    return this.#hosts.length;
  }

  get processes(): readonly WorkerProcess[] {
    return this.#processes;
  }

  etcdState(): Promise<EtcdState> {
    return etcdState(this.#etcd.endpoints[0] ?? '');
  }

  /** All that etcd holds below a key. */
  etcdctl(...parameters: readonly string[]): Promise<string> {
    return this.#etcd.etcdctl(...parameters);
  }

  /** Starts one more host. Gives what it took until it was in step, and how many endpoints it knew then. */
  async addHost(process: WorkerProcess): Promise<{ readonly milliseconds: number; readonly known: number }> {
    const index = this.#next++;
    this.#hosts.push({ process, index });
    return process.ask('start', this.#describe(index), index);
  }

  #describe(index: number) {
    const { cache } = this.options;
    const address = `10.${64 + (index >> 8)}.${index & 255}.1`;
    return { endpoints: this.#etcd.endpoints, directory: this.#directory, cache, name: `h${index}`, address };
  }

  /** A process without hosts yet. */
  addProcess(): WorkerProcess {
    const process = new WorkerProcess(this.options.heap ?? 8_000);
    this.#processes.push(process);
    return process;
  }

  /** Seconds of CPU that the processes with whole hosts have taken. */
  async cpuOfWhole(): Promise<number> {
    const processes = [...new Set(this.#hosts.map(({ process }) => process))];
    const usages = await Promise.all(processes.map((process) => process.ask('usage', false)));
    return usages.reduce((sum, { cpu }) => sum + cpu, 0);
  }

  /** It and its hosts are gone at once. */
  async kill(process: WorkerProcess): Promise<void> {
    await process.kill();
    this.#processes.splice(this.#processes.indexOf(process), 1);
    for (const host of this.#hosts.filter((one) => one.process === process)) {
      this.#hosts.splice(this.#hosts.indexOf(host), 1);
    }
  }

  /** Every process does it at once. */
  all<T>(work: (process: WorkerProcess) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#processes.map(work));
  }

  change(host: number, change: Change): Promise<Made> {
    const { process, index } = this.#hosts[host % this.#hosts.length] ?? {};
    if (!process || index === undefined) throw new Error('there are no hosts');
    return process.ask('change', index, change);
  }

  /** Makes a change, and waits until it is in the maps of all hosts. */
  async spread(host: number, change: Change): Promise<Arrival> {
    const made = await this.change(host, change);
    return { made, ...(await this.arrivals(made)) };
  }

  /** Milliseconds after a change was asked for, of all hosts. */
  async arrivals(made: Pick<Made, 'name' | 'record' | 'began'>): Promise<Arrivals> {
    const all = await this.all((process) => process.ask('arrivals', made, patience));
    const after = (times: readonly number[]) => times.map((at) => at - made.began);
    return { maps: all.flatMap(({ maps }) => after(maps)), heard: all.flatMap(({ heard }) => after(heard)) };
  }

  async #startHosts(): Promise<void> {
    const { hosts, processes, whole = hosts, say = () => {} } = this.options;
    const began = now();
    for (let i = 0; i < processes; i++) this.addProcess();
    const first = this.#processes[0];
    if (!first) throw new Error('there are no processes');
    await this.addHost(first);
    for (const [i, name] of this.networks.entries()) {
      await this.change(0, { kind: 'network', name, subnet: `10.${128 + i}.0.0/16` });
      for (const [tier, from] of [
        ['logic', 'front'],
        ['data', 'logic'],
      ] as const) {
        await this.change(0, { kind: 'apply', text: policyOf(`to-${tier}`, name, tier, from, 8080) });
      }
    }
    for (let started = 1; started < whole; started += this.#processes.length) {
      const some = this.#processes.slice(0, whole - started);
      // The first process has a host already.
      const turn = [...some.slice(1), ...some.slice(0, 1)];
      await Promise.all(turn.map((process) => this.addHost(process)));
    }
    await this.#startThin(hosts - whole);
    say(`${hosts} hosts started in ${((now() - began) / 1_000).toFixed(1)} s`);
  }

  /** In processes of their own: their work is not to delay whole hosts' more than that of other machines' would. */
  async #startThin(count: number): Promise<void> {
    const processes = Array.from({ length: Math.ceil(count / thinOfProcess) }, () => this.addProcess());
    for (let i = 0; i < count; i++) {
      const index = this.#next++;
      const process = processes[i % processes.length];
      if (!process) break;
      await process.ask('startThin', this.#describe(index), index);
      this.thinHosts.push({ process, index });
    }
  }
}
