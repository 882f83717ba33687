import { spawn } from 'node:child_process';

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** After this the process is killed, and counts as failed. Default: 15 minutes. */
  readonly timeoutSeconds?: number;
}

/** Runs a program with our own standard output and error. Gives its exit status; a signal counts as 1. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, ...options.env },
      timeout: (options.timeoutSeconds ?? 900) * 1000,
      killSignal: 'SIGKILL',
    });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
