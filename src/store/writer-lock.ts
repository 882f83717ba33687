import { readFileSync, readlinkSync } from 'node:fs';

/** Who has the store open: enough to tell a process that lives from one whose number was given to another. */
interface Holder {
  readonly pid: number;
  /** Clock ticks after boot at which the process began (proc(5), stat, field 22). */
  readonly started: string;
  readonly boot: string;
  /** Pid namespace: numbers of another one mean nothing here. */
  readonly pidNamespace: string;
}

/** This process, as a record. */
export function holderRecord(): string {
  const holder: Holder = {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    boot: bootId(),
    pidNamespace: pidNamespace(),
  };
  return JSON.stringify(holder);
}

/**
 * The pid of the live process that a record names, or undefined when nobody holds what it stands for: the record of a
 * process that was killed is worth nothing, and one from another pid namespace is a container's that is gone.
 */
export function liveHolder(record: string | undefined): number | undefined {
  if (record === undefined) return undefined;
  let holder: Partial<Holder>;
  try {
    holder = JSON.parse(record);
  } catch {
    return undefined;
  }
  if (typeof holder.pid !== 'number' || holder.boot !== bootId() || holder.pidNamespace !== pidNamespace())
    return undefined;
  return startOf(holder.pid) === holder.started ? holder.pid : undefined;
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses, which may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}
