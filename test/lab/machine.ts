import { mkdirSync } from 'node:fs';
import { Background, must, type RunOptions, type RunResult, run } from './process.ts';

/** Where a machine's processes run. */
export interface Place {
  /** Holds the mount and UTS namespaces; its network namespace too, unless `netns` is given. */
  readonly holder: number;
  /** Path to the network namespace, seen from the test's own mount namespace. */
  readonly netns?: string;
  /** cgroup2 directory that processes are moved into. */
  readonly cgroup: string;
}

/** Something with a network namespace of its own, in which programs run. */
export class Machine {
  readonly name: string;
  readonly place: Place;
  readonly #background: Background[] = [];

  constructor(name: string, place: Place) {
    this.name = name;
    this.place = place;
  }

  /** Runs a program here, to its end. */
  exec(...command: string[]): Promise<RunResult> {
    return run(this.command(command));
  }

  execWith(options: RunOptions, ...command: string[]): Promise<RunResult> {
    return run(this.command(command), options);
  }

  /** Runs a program that has to succeed here; gives its standard output. @throws RunError */
  must(...command: string[]): Promise<string> {
    return must(this.command(command));
  }

  /** Starts a program here; it is killed with the lab. */
  spawn(...command: string[]): Background {
    const process = new Background(this.command(command));
    this.#background.push(process);
    return process;
  }

  /** Commands of iproute2, one a line, in one process. */
  async ip(...lines: string[]): Promise<void> {
    await must(this.command(['ip', '-batch', '-']), { input: lines.join('\n') });
  }

  /** Sets sysctls of this machine's network namespace, by their path below /proc/sys. */
  async sysctl(values: Readonly<Record<string, string | number>>): Promise<void> {
    const script = Object.entries(values).map(([name, value]) => `echo ${value} > /proc/sys/${name}`);
    await this.must('sh', '-ec', script.join('\n'));
  }

  /** Kills what was started here. */
  async stop(): Promise<void> {
    await Promise.all(this.#background.splice(0).map((process) => process.stop()));
  }

  /** The command that runs `command` in this place. */
  command(command: readonly string[]): string[] {
    const { holder, netns, cgroup } = this.place;
    const enter = ['nsenter', '--target', String(holder), '--mount', '--uts', netns ? `--net=${netns}` : '--net', '--'];
    return ['sh', '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', cgroup, ...enter, ...command];
  }
}

/**
 * Starts a process that holds new network, mount and UTS namespaces, with a /run and a bpffs of their own. When it
 * is gone, and what runs there too, the kernel removes all that lies in them: devices, pins, mounts.
 */
export async function startHolder(name: string, cgroup: string): Promise<Background> {
  mkdirSync(cgroup, { recursive: true });
  const script = `
    echo ${name} > /proc/sys/kernel/hostname
    mount -t tmpfs tmpfs /run
    mkdir -p /run/netns /run/vetch
    mount -t bpf bpf /sys/fs/bpf
    ip link set lo up
    echo ready
    exec sleep infinity`;
  const namespaces = ['unshare', '--net', '--uts', '--mount', '--propagation', 'slave'];
  const holder = new Background([
    ...['sh', '-c', 'echo 0 > "$0/cgroup.procs" && exec "$@"', cgroup],
    ...[...namespaces, 'sh', '-ec', script],
  ]);
  await holder.until(/ready/);
  return holder;
}
