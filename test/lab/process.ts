import { type ChildProcess, spawn } from 'node:child_process';

/** Other kernels run under emulation, where every limit is longer. */
export const slowness = Number(process.env.VETCH_TEST_SLOWNESS ?? 1);

export interface RunResult {
  /** Exit status; 128 and the signal's number for a signal, as a shell says it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Seconds after which the process is killed; multiplied on slow machines. Default: 15. */
  readonly timeoutSeconds?: number;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Without the shims of version managers: each start of `python3` by one takes a shell many times as long as Python. */
function environment({ env }: RunOptions): NodeJS.ProcessEnv {
  const path = (process.env.PATH ?? '').split(':').filter((directory) => !directory.endsWith('/shims'));
  return { ...process.env, PATH: path.join(':'), ...env };
}

/** A program that ended badly where it had to end well. */
export class RunError extends Error {
  override readonly name = 'RunError';
  readonly result: RunResult;

  constructor(command: readonly string[], result: RunResult) {
    super(`${command.join(' ')}: exit status ${result.status}\n${result.stderr || result.stdout}`);
    this.result = result;
  }
}

/** A process that goes on while the test does; killed when disposed, or when the test's process dies. */
export class Background implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #ended: Promise<number>;
  #output = '';
  #watchers: (() => void)[] = [];

  constructor(command: readonly string[], options: RunOptions = {}) {
    const [program = '', ...args] = command;
    // The kernel kills it when we die, however we die.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environment(options),
    });
    this.child.stdin?.on('error', () => {});
    if (options.input !== undefined) this.child.stdin?.end(options.input);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        this.#output += text;
        for (const watcher of this.#watchers) watcher();
      });
    }
    this.#ended = new Promise((resolve) => {
      this.child.once('error', (error) => {
        this.#output += String(error);
        resolve(127);
      });
      this.child.once('close', (code, signal) => resolve(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)));
    }).then((status) => {
      for (const watcher of this.#watchers) watcher();
      return status as number;
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Everything that it wrote so far, to both of its outputs. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until the output matches. @throws Error when it ends before, or after `seconds` (10). */
  async until(pattern: RegExp, seconds = 10): Promise<RegExpMatchArray> {
    const late = Date.now() + seconds * 1000 * slowness;
    for (;;) {
      const match = this.#output.match(pattern);
      if (match) return match;
      if (!this.running) throw new Error(`${this.child.spawnargs.join(' ')} ended: ${this.#output}`);
      if (Date.now() > late) throw new Error(`no ${pattern} after ${seconds} s in: ${this.#output}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#watchers.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
      this.#watchers = [];
    }
  }

  /** Sends a signal and waits for the end. Gives the exit status. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<number> {
    if (this.running) this.child.kill(signal);
    return await this.#ended;
  }

  /** Waits for the end by itself. */
  ended(): Promise<number> {
    return this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Runs a program to its end; never throws for its exit status. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const [program = '', ...args] = command;
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(options),
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), (options.timeoutSeconds ?? 15) * 1000 * slowness);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15)));
  });
  clearTimeout(timer);
  return { status, stdout, stderr };
}

/** Runs a program that has to succeed; gives its standard output. @throws RunError */
export async function must(command: readonly string[], options?: RunOptions): Promise<string> {
  const result = await run(command, options);
  if (result.status !== 0) throw new RunError(command, result);
  return result.stdout;
}
