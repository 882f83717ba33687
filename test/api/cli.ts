import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
/** Where Node does not read TypeScript unasked. */
const flags = process.features.typescript
  ? []
  : ['--experimental-strip-types', '--disable-warning=ExperimentalWarning'];

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the real command line is run by itself: `[node, flags…, main.ts]`. */
export const cliCommand: readonly string[] = [process.execPath, ...flags, main];

/** Runs the real command line, as a process of its own whose output is a pipe. */
export function runCli(
  args: readonly string[],
  options: { readonly socket?: string; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const [program = '', ...before] = cliCommand;
  const { VETCH_SOCKET: _, ...env } = process.env;
  const child = spawn(program, [...before, ...args], {
    env: { ...env, ...(options.socket === undefined ? {} : { VETCH_SOCKET: options.socket }), ...options.env },
    stdio: 'pipe',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    stdout += piece;
  });
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
}
