import { mkdirSync } from 'node:fs';
import { Container } from './container.ts';
import { Machine, type Place } from './machine.ts';
import { type Background, must, run } from './process.ts';
import { type AttachedEndpoint, type Status, VetchFailure } from './vetch.ts';

const checkout = new URL('../../', import.meta.url).pathname;

export interface HostOptions {
  /** Directory of the host's own on the machine's disk. */
  readonly directory: string;
  /** Its addresses on the fabric, without prefix length. */
  readonly address4: string;
  readonly address6: string;
}

/** A host: namespaces with an uplink `eth0`, our daemon, and containers. */
export class Host extends Machine {
  readonly address4: string;
  readonly address6: string;
  /** Where the daemon pins, seen from inside. */
  readonly bpffs = '/sys/fs/bpf/vetch';
  readonly socket = '/run/vetch/vetch.sock';
  readonly state: string;
  #daemon: Background | undefined;

  constructor(name: string, place: Place, options: HostOptions) {
    super(name, place);
    this.address4 = options.address4;
    this.address6 = options.address6;
    this.state = `${options.directory}/state`;
  }

  get daemon(): Background {
    if (!this.#daemon) throw new Error(`${this.name} runs no daemon`);
    return this.#daemon;
  }

  /** Starts the daemon and waits until it says ready. */
  async start(...flags: string[]): Promise<void> {
    this.#daemon = this.spawn(`${checkout}bin/vetch`, 'daemon', ...this.flags(), ...flags);
    await this.#daemon.until(/\bready\b/, 60);
  }

  /** Ends the daemon; the datapath stays. SIGTERM waits for its orderly end. */
  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    const status = await this.daemon.stop(signal);
    this.#daemon = undefined;
    return status;
  }

  /** `vetch daemon --uninstall`; gives what it says. */
  uninstall(): Promise<string> {
    return this.must(`${checkout}bin/vetch`, 'daemon', ...this.flags(), '--uninstall');
  }

  /** Runs the real command line with `--json`. @throws VetchFailure when it refuses. */
  async vetch<T = unknown>(...args: string[]): Promise<T> {
    const env = { VETCH_SOCKET: this.socket };
    const result = await run(this.command([`${checkout}bin/vetch`, ...args, '--json']), { env, timeoutSeconds: 20 });
    if (result.status !== 0) throw new VetchFailure(result.status, result.stderr || result.stdout);
    return (result.stdout.trim() === '' ? undefined : JSON.parse(result.stdout)) as T;
  }

  /** Creates a container: a network namespace, with nothing in it but loopback. */
  async container(name: string): Promise<Container> {
    await must(this.command(['ip', 'netns', 'add', name]));
    const container = new Container(name, this);
    mkdirSync(container.place.cgroup, { recursive: true });
    this.#containers.push(container);
    return container;
  }

  /** Creates a container and attaches it to a network under its own name. */
  async attach(network: string, name: string, ...flags: string[]): Promise<[Container, AttachedEndpoint]> {
    const container = await this.container(name);
    const args = ['endpoint', 'attach', network, '--netns', container.netns, '--name', name, ...flags];
    return [container, await this.vetch<AttachedEndpoint>(...args)];
  }

  /** What an engine makes of `--network host`: a cgroup, whose processes share the host's network namespace. */
  cgroup(name: string): Machine {
    const { holder, cgroup } = this.place;
    const machine = new Machine(name, { holder, cgroup: `${cgroup}/${name}` });
    mkdirSync(machine.place.cgroup, { recursive: true });
    this.#containers.push(machine);
    return machine;
  }

  /** Creates a cgroup and attaches it to a host network under its own name. */
  async attachCgroup(network: string, name: string, ...flags: string[]): Promise<[Machine, AttachedEndpoint]> {
    const machine = this.cgroup(name);
    const args = ['endpoint', 'attach', network, '--cgroup', machine.place.cgroup, '--name', name, ...flags];
    return [machine, await this.vetch<AttachedEndpoint>(...args)];
  }

  readonly #containers: Machine[] = [];

  /** Deletes a container as an engine does: its processes end, then its namespace goes. */
  async destroy(container: Container): Promise<void> {
    await container.stop();
    await must(this.command(['ip', 'netns', 'delete', container.name]));
  }

  status(): Promise<Status> {
    return this.vetch<Status>('status');
  }

  /** How many packets were dropped for a reason so far. */
  async drops(reason: string): Promise<number> {
    return (await this.status()).drops[reason] ?? 0;
  }

  override async stop(): Promise<void> {
    await Promise.all(this.#containers.map((container) => container.stop()));
    await super.stop();
  }

  private flags(): string[] {
    return [
      ...['--node', this.name, '--state', this.state, '--bpffs', this.bpffs, '--cgroup', this.place.cgroup],
      ...['--socket', this.socket, '--uplink', 'eth0', '--docker-plugins', 'off', '--docker-engine', 'off'],
      ...['--resolver', 'off'],
    ];
  }
}
