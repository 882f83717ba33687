import { importDaemonImage } from './daemon-image.ts';
import type { Engine } from './engine.ts';
import type { Host } from './host.ts';
import { RunError, run } from './process.ts';

const script = new URL('../../examples/daemon-in-docker/run.sh', import.meta.url).pathname;

/** Our daemon as a container of the engine that it serves, run by the example's own script. */
export class DaemonContainer {
  readonly engine: Engine;
  readonly host: Host;
  readonly #image: string;

  private constructor(engine: Engine, image: string) {
    this.engine = engine;
    this.host = engine.host;
    this.#image = image;
  }

  static async create(engine: Engine): Promise<DaemonContainer> {
    return new DaemonContainer(engine, await importDaemonImage(engine));
  }

  /** Runs it, in place of one that runs. @param capabilities default: the script's own */
  async start(capabilities?: readonly string[]): Promise<void> {
    const env = {
      VETCH_IMAGE: this.#image,
      DOCKER_HOST: `unix://${this.engine.socket}`,
      ...(capabilities === undefined ? {} : { VETCH_CAPABILITIES: capabilities.join(' ') }),
    };
    const cgroup = this.engine.vetchFlags.slice(this.engine.vetchFlags.indexOf('--cgroup'));
    const flags = ['--node', this.host.name, '--uplink', 'eth0', '--resolver', 'off', ...cgroup];
    const command = this.engine.machine.command([script, ...flags]);
    const result = await run(command, { env, timeoutSeconds: 60 });
    if (result.status !== 0) throw new RunError(command, result);
  }

  /** What it has logged. */
  async log(): Promise<string> {
    const { stdout, stderr } = await this.engine.attempt('logs', 'vetch');
    return stdout + stderr;
  }

  /** Waits until it says ready; gives its log when it has not within `seconds`. */
  async ready(seconds = 20): Promise<string | undefined> {
    const late = Date.now() + seconds * 1000;
    for (;;) {
      const log = await this.log();
      if (/"msg":"ready"/.test(log)) return undefined;
      if (Date.now() > late) return log;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async remove(): Promise<void> {
    await this.engine.docker('rm', '--force', 'vetch');
  }
}
