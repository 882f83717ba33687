import { createInterface } from 'node:readline';
import type { Machine } from '../lab/machine.ts';
import type { Cell } from './cells.ts';

/** Of flows that were begun, by the number of their cell: what each left from. */
export type SourcePorts = ReadonlyMap<number, number>;

export interface Collected {
  /** Who answered, by cell: the prober's name, or of a ping the address. */
  readonly answers: Readonly<Record<string, string>>;
  /** errno's names. */
  readonly errors: Readonly<Record<string, string>>;
}

/** A process on a machine that answers all that comes and begins flows on demand (prober/prober.py). */
export class Prober {
  readonly name: string;
  readonly #send: (order: object) => void;
  readonly #lines: AsyncIterator<string>;

  private constructor(name: string, send: (order: object) => void, lines: AsyncIterator<string>) {
    this.name = name;
    this.#send = send;
    this.#lines = lines;
  }

  /** It ends with the machine. */
  static async start(machine: Machine, name: string, address4: string, address6: string): Promise<Prober> {
    const path = new URL('./prober/prober.py', import.meta.url).pathname;
    const program = machine.spawn('python3', '-B', path, name, address4, address6);
    const { stdin, stdout } = program.child;
    if (!stdin || !stdout) throw new Error(`${name}: no pipes to the prober`);
    const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    const send = (order: object) => {
      stdin.write(`${JSON.stringify(order)}\n`);
    };
    const prober = new Prober(name, send, lines);
    await prober.#next('ready', program);
    return prober;
  }

  /** Begins the flows of these cells, by number. */
  async fire(of: readonly (readonly [number: number, cell: Cell])[]): Promise<SourcePorts> {
    this.#send({ fire: of.map(([number, { protocol, address, sentTo }]) => [number, protocol, address, sentTo]) });
    return new Map((await this.#next('fired')) as [number, number][]);
  }

  /** Until all are answered, or so much later. */
  async wait(milliseconds: number): Promise<void> {
    this.#send({ wait: milliseconds });
    await this.#next('waited');
  }

  /** Handles all that has arrived, however late this machine is with it. */
  async settle(): Promise<void> {
    this.#send({ settle: true });
    await this.#next('settled');
  }

  /** Ends them all. */
  async collect(): Promise<Collected> {
    this.#send({ collect: true });
    return (await this.#next()) as Collected;
  }

  async #next(field?: string, program?: { readonly output: string }): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the prober of ${this.name} ended${program ? `: ${program.output}` : ''}`);
    const said = JSON.parse(value) as Record<string, unknown>;
    return field === undefined ? said : said[field];
  }
}
