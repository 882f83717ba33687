import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A child that writes the pairs 1, 2, 3 ... and prints the number of each that was acknowledged. */
export function startWriter([program, ...args]: readonly [string, ...string[]]) {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let last = 0;
  const lines = child.stdout ? createInterface({ input: child.stdout }) : undefined;
  lines?.on('line', (line) => {
    last = Number(line);
  });
  return {
    last: () => last,
    async acknowledged(number: number): Promise<void> {
      while (last < number) {
        if (child.exitCode !== null) throw new Error(`the writer ended with ${child.exitCode}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    async kill(): Promise<void> {
      const exited = once(child, 'exit');
      const drained = lines ? once(lines, 'close') : Promise.resolve();
      child.kill('SIGKILL');
      await exited;
      await drained; // what it printed before it died was acknowledged too
    },
  };
}
