import { createInterface } from 'node:readline';
import type { Machine } from '../lab/machine.ts';
import type { Background } from '../lab/process.ts';

/** What a stream has come to, at one of its ends. */
export interface StreamCount {
  readonly messages: number;
  /** Number of the newest message; -1 before the first. */
  readonly highest: number;
  /** Milliseconds of this machine's monotonic clock, which `performance.now` counts, too: see {@link monotonic}. */
  readonly last: number;
}

/** Milliseconds of the clock that the ends of a stream give their times in. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** One end of a stream of a message each millisecond (prober/stream.py). */
export class StreamEnd implements AsyncDisposable {
  readonly #program: Background;
  readonly #lines: AsyncIterator<string>;

  private constructor(program: Background, lines: AsyncIterator<string>) {
    this.#program = program;
    this.#lines = lines;
  }

  /** @param args as prober/stream.py has them; a client is connected when this returns */
  static async start(machine: Machine, ...args: string[]): Promise<StreamEnd> {
    const path = new URL('./prober/stream.py', import.meta.url).pathname;
    const program = machine.spawn('python3', path, ...args);
    if (!program.child.stdout) throw new Error('no pipe to a stream');
    const lines = createInterface({ input: program.child.stdout })[Symbol.asyncIterator]();
    const { done } = await lines.next();
    if (done) throw new Error(`stream.py ${args.join(' ')} ended: ${program.output}`);
    return new StreamEnd(program, lines);
  }

  count(): Promise<StreamCount> {
    return this.#ask('count');
  }

  /** Sends no more. */
  stop(): Promise<StreamCount> {
    return this.#ask('stop');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
  }

  async #ask(what: string): Promise<StreamCount> {
    this.#program.child.stdin?.write(`${what}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`a stream ended: ${this.#program.output}`);
    const count = JSON.parse(value) as StreamCount;
    return { ...count, last: count.last * 1000 };
  }
}
