import type { Machine } from './machine.ts';
import type { Background } from './process.ts';

export interface Burst {
  /** How often all the frames are sent. Default: once. */
  readonly times?: number;
  /** `[offset, bytes]` of what is random in each frame. */
  readonly random?: readonly (readonly [offset: number, bytes: number])[];
  /** Default 5. */
  readonly seconds?: number;
}

/** Sends frames from a machine's device as they are, past its stack. */
export class RawSender {
  readonly #program: Background;
  #orders = 0;

  private constructor(program: Background) {
    this.#program = program;
  }

  static async start(machine: Machine, device = 'eth0'): Promise<RawSender> {
    const path = new URL('./programs/raw.py', import.meta.url).pathname;
    const program = machine.spawn('python3', path, device);
    await program.until(/ready/);
    return new RawSender(program);
  }

  /** Gives how many frames left. */
  async send(frames: readonly Uint8Array[], burst: Burst = {}): Promise<number> {
    const order = { frames: frames.map((frame) => Buffer.from(frame).toString('hex')), ...burst };
    this.#program.child.stdin?.write(`${JSON.stringify(order)}\n`);
    this.#orders += 1;
    const [all] = await this.#program.until(new RegExp(`(?:sent \\d+\\s+){${this.#orders}}`), 20);
    return Number(all.trim().split(/\s+/).at(-1));
  }
}
