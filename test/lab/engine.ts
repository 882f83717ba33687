import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineContainer } from './engine-container.ts';
import { enterRoot } from './engine-root.ts';
import type { Host } from './host.ts';
import { cgroupRoot } from './leftovers.ts';
import type { Machine } from './machine.ts';
import { type Background, must, RunError, type RunResult, run } from './process.ts';

/** A folder with another engine than the machine's own (test/engines), for all engines of a run. */
const root = process.env.VETCH_E2E_ENGINE_ROOT;

const checkout = new URL('../../', import.meta.url).pathname;
const programs = `${checkout}test/lab/programs/`;

/** Debian puts its own below /usr; what a machine has elsewhere may be something else that is called so. */
const client = root !== undefined || existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker';

export interface EngineOptions {
  /** Starts the host's daemon first, as at boot, with the engine's plugin directory. Default: true. */
  readonly vetch?: boolean;
  /** Containers live on while the engine is down. Default: false, as is Docker's. */
  readonly liveRestore?: boolean;
  /** Further flags of dockerd. */
  readonly flags?: readonly string[];
}

export interface RunFlags {
  /** What the container runs. Default: echo servers on TCP and UDP port 80. */
  readonly command?: readonly string[];
  /** Runs `docker run` with this many seconds. Default: 30. */
  readonly timeoutSeconds?: number;
}

/** The servers that a container runs unless told otherwise; they end at once when they are asked to. */
function servers(ports: readonly number[], name: string): string[] {
  const each = ports.flatMap((port) =>
    ['tcp', 'udp'].map((transport) => `python3 ${programs}server.py ${transport} :: ${port} ${name} &`),
  );
  return ['sh', '-c', `trap exit TERM; ${each.join(' ')} wait`];
}

const plugins = '/run/docker/plugins';

/** What the lab keeps of a host on the disk. */
function diskOf(host: Host): string {
  return join(host.state, '..');
}

async function prepare(host: Host): Promise<void> {
  await host.must(
    'sh',
    '-ec',
    // Most machines have version 2 alone; this one may have it beside version 1, where no test would find it.
    // And what is mounted below /run is seen in containers, as systemd has it on any host.
    `mkdir -p ${plugins} /run/docker/exec
     [ -e /sys/fs/cgroup/cgroup.controllers ] || mount -t cgroup2 cgroup2 /sys/fs/cgroup
     mount --make-rshared /run
     mkdir -p /run/containerd`,
  );
}

/**
 * A real dockerd on a lab's host: in the host's namespaces, with its own state, containerd and sockets, and one image
 * of nothing but links into /usr, which every container mounts read-only.
 */
export class Engine {
  readonly host: Host;
  /** Where the engine's own programs run: the host, with the files of the engine's distribution. */
  readonly machine: Machine;
  /** Where the engine answers, seen from inside the host. */
  readonly socket = '/run/docker.sock';
  readonly plugins = plugins;
  readonly #options: EngineOptions;
  readonly #directory: string;
  /** The cgroup of the host, as it is called inside. */
  readonly #cgroup: string;
  #dockerd: Background | undefined;
  readonly #containerd = '/run/containerd/containerd.sock';

  private constructor(host: Host, machine: Machine, options: EngineOptions) {
    this.host = host;
    this.machine = machine;
    this.#options = options;
    this.#directory = join(diskOf(host), 'docker');
    this.#cgroup = host.place.cgroup.slice(cgroupRoot().length);
  }

  /** Makes the host one that an engine can run on, and starts the engine; `pull` needs no registry. */
  static async start(host: Host, options: EngineOptions = {}): Promise<Engine> {
    const disk = diskOf(host);
    const directory = join(disk, 'docker');
    mkdirSync(directory, { recursive: true });
    await prepare(host);
    // What is given to docker and docker-compose as a file, or mounted into containers, lies in either
    const machine = root === undefined ? host : await enterRoot(host, root, directory, [disk, checkout]);
    const engine = new Engine(host, machine, options);
    writeFileSync(join(directory, 'daemon.json'), '{}');
    await engine.#startContainerd();
    if (options.vetch !== false) await host.start(...engine.vetchFlags);
    await engine.up();
    await engine.#importImage();
    return engine;
  }

  /** The flags with which the host's daemon serves this engine. */
  get vetchFlags(): string[] {
    const cgroup = `/sys/fs/cgroup${this.#cgroup}`;
    return ['--docker-plugins', this.plugins, '--docker-engine', this.socket, '--cgroup', cgroup];
  }

  get dockerd(): Background {
    if (!this.#dockerd) throw new Error(`no engine runs on ${this.host.name}`);
    return this.#dockerd;
  }

  /** Starts dockerd and waits until it answers. */
  async up(): Promise<void> {
    const at = (name: string) => join(this.#directory, name);
    const { liveRestore, flags = [] } = this.#options;
    this.#dockerd = this.machine.spawn(
      ...['dockerd', '--host', `unix://${this.socket}`, '--data-root', at('data'), '--exec-root', '/run/docker/exec'],
      ...['--containerd', this.#containerd],
      ...[
        '--pidfile',
        '/run/docker.pid',
        '--config-file',
        at('daemon.json'),
        '--exec-opt',
        'native.cgroupdriver=cgroupfs',
      ],
      ...['--cgroup-parent', `${this.#cgroup}/docker`, ...(liveRestore ? ['--live-restore'] : []), ...flags],
    );
    await this.#dockerd.until(/API listen on/, 60);
  }

  /** Ends dockerd; SIGTERM waits for its orderly end, which stops the containers unless they are restored live. */
  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const pid = Number(readFileSync(`/proc/${this.host.place.holder}/root/run/docker.pid`, 'utf8'));
    process.kill(pid, signal);
    await this.dockerd.ended();
    this.#dockerd = undefined;
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.down(signal);
    await this.up();
  }

  /** Runs `docker` with arguments; gives what it says. @throws RunError when it fails. */
  async docker(...args: string[]): Promise<string> {
    const result = await this.attempt(...args);
    if (result.status !== 0) throw new RunError(['docker', ...args], result);
    return result.stdout.trim();
  }

  /** Runs `docker` with arguments, and gives how that ended. */
  attempt(...args: string[]): Promise<RunResult> {
    return run(this.machine.command(this.command(args)), { timeoutSeconds: 40 });
  }

  /** The program and arguments that run `docker` inside the host. */
  command(args: readonly string[]): string[] {
    return [client, '--host', `unix://${this.socket}`, ...args];
  }

  /** `docker inspect`, of one object. */
  async inspect<T = Record<string, unknown>>(...args: string[]): Promise<T> {
    const [one] = JSON.parse(await this.docker('inspect', ...args)) as T[];
    if (one === undefined) throw new Error(`docker inspect ${args.join(' ')} gave nothing`);
    return one;
  }

  /** Runs a container that serves TCP and UDP on the given ports, in the background. @throws RunError */
  async run(name: string, flags: readonly string[] = [], ports: readonly number[] = [80]): Promise<EngineContainer> {
    await this.docker(...this.runArguments(name, flags), 'links', ...servers(ports, name));
    const container = this.container(name);
    await container.serving(ports);
    return container;
  }

  /** The arguments before the image of a `docker run` in the background. */
  runArguments(name: string, flags: readonly string[]): string[] {
    const mounts = ['--volume', '/usr:/usr:ro', '--volume', `${programs}:${programs}:ro`];
    // Who shares another's namespace has its name, too.
    const hostname = flags.some((flag) => flag.startsWith('container:')) ? [] : ['--hostname', name];
    return ['run', '--detach', '--name', name, ...hostname, ...mounts, ...flags];
  }

  /** A container that is there already. */
  container(name: string): EngineContainer {
    return new EngineContainer(name, this);
  }

  /** A process of its own, as distributions run it: it outlives dockerd. */
  async #startContainerd(): Promise<void> {
    const configuration = join(this.#directory, 'containerd.toml');
    writeFileSync(configuration, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    const containerd = this.machine.spawn(
      ...['containerd', '--config', configuration, '--address', this.#containerd],
      ...['--root', join(this.#directory, 'containerd'), '--state', '/run/containerd'],
    );
    await containerd.until(/successfully booted/, 30);
  }

  async #importImage(): Promise<void> {
    const tree = join(this.#directory, 'image');
    for (const name of ['usr', 'tmp', 'etc', 'run']) mkdirSync(join(tree, name), { recursive: true });
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(tree, name));
    const archive = join(this.#directory, 'image.tar');
    await must(['tar', '-C', tree, '-cf', archive, '.']);
    await this.docker('import', archive, 'links');
  }
}
