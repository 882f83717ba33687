import type { ResolverView } from '../../src/api/schemas/resolver.ts';
import type { Host } from './host.ts';
import type { Machine } from './machine.ts';
import type { Background } from './process.ts';

const checkout = new URL('../../', import.meta.url).pathname;
const directory = '/run/vetch-resolver';

const nobody = '65534';
/** The first is the unit's; the second is for a checkout that others may not read. */
const few = '-all,+net_bind_service,+dac_read_search';

/** The real resolver on a lab's host, as nobody of the socket's group, as its unit runs it. */
export class LabResolver {
  readonly host: Host;
  readonly #flags: readonly string[];
  #process: Background | undefined;

  constructor(host: Host, ...flags: string[]) {
    this.host = host;
    this.#flags = flags;
  }

  get process(): Background {
    if (!this.#process) throw new Error(`${this.host.name} runs no resolver`);
    return this.#process;
  }

  async start(): Promise<void> {
    const { host } = this;
    const group = (await host.must('stat', '--format', '%g', host.socket).catch(() => '0')).trim();
    await host.must('install', '-d', '-o', nobody, '-g', group, '-m', '0750', directory);
    const ids = ['--reuid', nobody, '--regid', group, '--clear-groups', '--no-new-privs'];
    const limited = [
      'setpriv',
      ...ids,
      ...['bounding-set', 'inh-caps', 'ambient-caps'].map((set) => `--${set}=${few}`),
    ];
    const run = [`${checkout}bin/vetch`, '--socket', this.host.socket, 'resolver', 'run', '--run', directory];
    this.#process = this.host.spawn(...limited, ...run, ...this.#flags);
    await this.#process.until(/"ready"/, 20);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process.stop(signal);
    this.#process = undefined;
  }

  status(): Promise<ResolverView> {
    return this.host.vetch<ResolverView>('resolver', 'status', '--run', directory);
  }
}

/** What dig says of one question. */
export interface Answer {
  /** As NOERROR; `none` when nobody answered. */
  readonly status: string;
  readonly flags: readonly string[];
  /** The data of the answers, in order. */
  readonly data: readonly string[];
}

/** Asks once, with dig; `flags` are dig's. */
export async function dig(machine: Machine, server: string, ...flags: string[]): Promise<Answer> {
  const options = ['+tries=1', '+timeout=5', '+nocookie', '+comments', '+noquestion', '+nostats', '+noauthority'];
  const { stdout } = await machine.exec('dig', `@${server}`, ...options, ...flags);
  const lines = stdout.split('\n').filter((line) => /^[^;\s]/.test(line));
  return {
    status: /status: (\w+)/.exec(stdout)?.[1] ?? 'none',
    flags: (/flags: ([\w ]*);/.exec(stdout)?.[1] ?? '').split(' '),
    data: lines.map((line) => line.split(/\s+/).slice(4).join(' ')),
  };
}
