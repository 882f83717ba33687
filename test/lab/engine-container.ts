import { setTimeout } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { Machine } from './machine.ts';
import { slowness } from './process.ts';

/** A container of an engine; programs run in it by `docker exec`, as its users run them. */
export class EngineContainer extends Machine {
  readonly engine: Engine;

  constructor(name: string, engine: Engine) {
    super(name, engine.machine.place);
    this.engine = engine;
  }

  override command(command: readonly string[]): string[] {
    return this.engine.machine.command(this.engine.command(['exec', '--interactive', this.name, ...command]));
  }

  /** Waits until something listens on all of these ports. */
  async serving(ports: readonly number[]): Promise<void> {
    const late = Date.now() + 15_000 * slowness;
    const expected = ports.flatMap((port) => [`tcp :${port}`, `udp :${port}`]);
    for (;;) {
      const { stdout, stderr } = await this.exec('ss', '-Hlntu');
      const listening = stdout.split('\n').map((line) => line.replace(/^(\w+) .* \S*(:\d+) .*$/, '$1 $2'));
      if (expected.every((line) => listening.includes(line))) return;
      if (Date.now() > late) throw new Error(`${this.name} does not serve ${expected.join(', ')}: ${stdout}${stderr}`);
      await setTimeout(100);
    }
  }

  /** Its address on a network, of either family; empty when it has none. */
  async address(network: string, family: 4 | 6 = 4): Promise<string> {
    const field = family === 4 ? 'IPAddress' : 'GlobalIPv6Address';
    const format = `{{ (index .NetworkSettings.Networks "${network}").${field} }}`;
    return await this.engine.docker('inspect', '--format', format, this.name);
  }
}
