import { fileURLToPath } from 'node:url';
import type { Host } from './host.ts';
import type { Background } from './process.ts';

const program = fileURLToPath(new URL('programs/joined.py', import.meta.url));

/** Two containers of a host, and the address of the first. */
export interface Ends {
  readonly server: string;
  readonly client: string;
  readonly address: string;
}

function commandOf({ server, client, address }: Ends, scenario: string): string[] {
  return ['python3', program, `/run/netns/${server}`, `/run/netns/${client}`, address, scenario];
}

/** What comes of a scenario of programs/joined.py between two containers. */
export async function play<T = Record<string, unknown>>(
  host: Host,
  ends: Ends,
  scenario: string,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const { status, stdout, stderr } = await host.execWith({ timeoutSeconds: 60, env }, ...commandOf(ends, scenario));
  if (status !== 0) throw new Error(`${scenario} between ${ends.server} and ${ends.client}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** A connection that is kept open, and says what comes of a message each way. */
export class Held implements AsyncDisposable {
  readonly #process: Background;
  #asked = 0;

  private constructor(process: Background) {
    this.#process = process;
  }

  static async open(host: Host, ends: Ends): Promise<Held> {
    const process = host.spawn(...commandOf(ends, 'hold'));
    await process.until(/"ready"/);
    return new Held(process);
  }

  /** What the server and the client get of a message each way; `timeout` where nothing comes for 2 s. */
  async exchange(text: string): Promise<{ there: unknown; back: unknown }> {
    this.#asked++;
    this.#process.child.stdin?.write(`${text}\n`);
    const answers = () => [...this.#process.output.matchAll(/^\{"there".*\}$/gm)];
    await this.#process.until(new RegExp(`(?:\\{"there"[^\\n]*\\n[^]*){${this.#asked}}`));
    const { there, back } = JSON.parse(answers()[this.#asked - 1]?.[0] ?? '{}') as { there: unknown; back: unknown };
    return { there, back };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }
}

/** The datapath's counters, by name. */
export async function countersOf(host: Host): Promise<Readonly<Record<string, number>>> {
  const { entries } = await host.vetch<{ entries: { key: string; value: number[] }[] }>('maps', 'dump', 'counters');
  return Object.fromEntries(entries.map(({ key, value }) => [key, value.reduce((sum, one) => sum + one, 0)]));
}

/** What went from socket to socket meanwhile, and what of joined sockets by the stack. */
export async function counted<T>(
  host: Host,
  act: () => Promise<T>,
): Promise<{ answer: T; joined: number; bypassed: number; declined: number; unjoined: number }> {
  const before = await countersOf(host);
  const answer = await act();
  const after = await countersOf(host);
  const moved = (name: string) => (after[name] ?? 0) - (before[name] ?? 0);
  return {
    answer,
    joined: moved('SOCKETS_JOINED'),
    unjoined: moved('SOCKETS_NOT_JOINED'),
    bypassed: moved('BYPASSED'),
    declined: moved('BYPASS_DECLINED'),
  };
}
