import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Engine } from './engine.ts';
import { RunError, run } from './process.ts';

/**
 * Runs the `docker-compose` of an engine's distribution on it, with a directory as it is; only the image is one that needs no
 * registry.
 */
export class Compose {
  readonly #engine: Engine;
  readonly #files: readonly string[];

  /** @param services whose containers get the mount that the lab's image needs */
  constructor(engine: Engine, directory: string, services: readonly string[]) {
    this.#engine = engine;
    const mount = { volumes: ['/usr:/usr:ro'] };
    const extra = { services: Object.fromEntries(services.map((name) => [name, mount])) };
    const override = join(engine.host.state, '..', 'compose.override.yaml');
    writeFileSync(override, stringify(extra));
    this.#files = [join(directory, 'compose.yaml'), override];
  }

  /** @throws RunError */
  async run(...args: string[]): Promise<string> {
    const { machine, socket } = this.#engine;
    const files = this.#files.flatMap((file) => ['--file', file]);
    const command = ['docker-compose', ...files, '--project-name', 'tiers', ...args];
    const env = { DOCKER_HOST: `unix://${socket}`, EXAMPLE_IMAGE: 'links' };
    const result = await run(machine.command(command), { timeoutSeconds: 90, env });
    if (result.status !== 0) throw new RunError(command, result);
    return result.stdout;
  }
}
