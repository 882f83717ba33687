import { createInterface } from 'node:readline';
import type { Machine } from '../lab/machine.ts';

/** One order of prober/lookup.py. */
export interface Lookup {
  readonly server?: string;
  readonly name?: string;
  readonly family?: 4 | 6;
  readonly tcp?: boolean;
  readonly address?: string;
  readonly port?: number;
  /** Seconds. */
  readonly wait?: number;
}

export interface LookedUp {
  /** Null: nobody answered, or nothing was asked. */
  readonly addresses: readonly string[] | null;
  readonly from: string | null;
  /** Null: nothing was connected to. */
  readonly connected: boolean | null;
  readonly seconds: number;
}

/** Starts a program on a machine that looks names up and connects, on demand; it ends with the machine. */
export async function startLookups(machine: Machine): Promise<(lookup: Lookup) => Promise<LookedUp>> {
  const program = machine.spawn('python3', '-B', new URL('./prober/lookup.py', import.meta.url).pathname);
  const { stdin, stdout } = program.child;
  if (!stdin || !stdout) throw new Error('no pipes to lookup.py');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`lookup.py ended: ${program.output}`);
    return value;
  };
  await next();
  return async (lookup) => {
    stdin.write(`${JSON.stringify(lookup)}\n`);
    return JSON.parse(await next()) as LookedUp;
  };
}
