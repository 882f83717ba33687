import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, RequestName, Requests } from './protocol.ts';

type Result<Name extends RequestName> = Awaited<ReturnType<Requests[Name]>>;

/** Where Node.js keeps its code without types. */
const cached = fileURLToPath(new URL('../../.cache/simulation', import.meta.url));

/** A process with hosts. It ends with this one, at the latest. */
export class WorkerProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #next = 0;

  /** @param megabytes that the heap may grow to */
  constructor(megabytes: number) {
    const worker = fileURLToPath(new URL('worker.ts', import.meta.url));
    const execArgv = ['--expose-gc', '--max-semi-space-size=64', `--max-old-space-size=${megabytes}`];
    // Not what a test runner has in it. Without its types taken out already each process takes 3 s of CPU to start.
    const env = { PATH: process.env.PATH, NODE_COMPILE_CACHE: cached };
    this.#child = fork(worker, { execArgv, env });
    this.#child.on('message', ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result as never);
      else waiting?.reject(new Error(error));
    });
    this.#child.on('exit', (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`a process with hosts ended: ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  /** @throws Error what the other process threw, or that it has ended */
  ask<Name extends RequestName>(name: Name, ...parameters: Parameters<Requests[Name]>): Promise<Result<Name>> {
    const id = this.#next++;
    return new Promise<Result<Name>>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, parameters });
    });
  }

  /** All of its hosts die at once. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}
