import { readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import type { Background } from './process.ts';

/** Everything that passes a machine's devices, to be searched for what must not. */
export class WireTap implements AsyncDisposable {
  readonly #tcpdump: Background;
  readonly #file: string;

  private constructor(tcpdump: Background, file: string) {
    this.#tcpdump = tcpdump;
    this.#file = file;
  }

  /** Begins to watch all devices of `machine`; of each packet the first 200 bytes. */
  static async start(machine: Machine): Promise<WireTap> {
    const file = join(tmpdir(), `vetch-tap-${process.pid}-${Date.now()}.pcap`);
    const options = [
      '-n',
      '-U',
      '--immediate-mode',
      '--snapshot-length',
      '200',
      '--buffer-size',
      '32768',
      '-Z',
      'root',
    ];
    const tcpdump = machine.spawn('tcpdump', ...options, '-i', 'any', '-w', file);
    await tcpdump.until(/listening on/, 20);
    return new WireTap(tcpdump, file);
  }

  /** How many packets so far have any of it. */
  count(mark: string): number {
    return [...occurrences(readFileSync(this.#file), mark)].length;
  }

  get bytes(): number {
    return statSync(this.#file).size;
  }

  /** Ends it. @returns how many packets the kernel had no room for: nothing is known of those */
  async stop(): Promise<number> {
    await this.#tcpdump.stop('SIGINT');
    return Number(/(\d+) packets dropped by kernel/.exec(this.#tcpdump.output)?.[1] ?? Number.NaN);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tcpdump.stop();
    rmSync(this.#file, { force: true });
  }
}

function* occurrences(bytes: Buffer, mark: string): Generator<number> {
  const wanted = Buffer.from(mark);
  // Of one packet one: its payload repeats the mark, and 200 bytes of it are kept.
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 200)) yield at;
}
