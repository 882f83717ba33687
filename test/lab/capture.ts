import type { Machine } from './machine.ts';
import type { Background } from './process.ts';

/** What a machine's device saw, by tcpdump, as evidence of what did or did not pass. */
export class Capture implements AsyncDisposable {
  readonly #tcpdump: Background;

  private constructor(tcpdump: Background) {
    this.#tcpdump = tcpdump;
  }

  /** Begins to watch `device`; `filter` is in tcpdump's own words. */
  static async start(machine: Machine, device: string, ...filter: string[]): Promise<Capture> {
    // Without a limit each packet takes 256 KiB of the kernel's buffer, and a burst is lost.
    const options = ['-n', '-e', '-l', '--immediate-mode', '--snapshot-length', '256', '--buffer-size', '8192'];
    const tcpdump = machine.spawn('tcpdump', ...options, '-i', device, ...filter);
    await tcpdump.until(/listening on/);
    return new Capture(tcpdump);
  }

  /** The packets so far, one a line. */
  get lines(): string[] {
    return this.#tcpdump.output.split('\n').filter((line) => /^\d\d:\d\d:\d\d\./.test(line));
  }

  /** Waits until a packet matches. */
  async until(pattern: RegExp, seconds?: number): Promise<void> {
    await this.#tcpdump.until(pattern, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tcpdump.stop();
  }
}
