import { mkdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { VetchError } from '../api/error.ts';
import { isBpffs } from '../loader/pin.ts';
import { holderRecord, liveHolder } from '../store/writer-lock.ts';

/** A symbolic link, the one kind of file in a bpffs that can say something. */
const ownerName = 'daemon';

/**
 * Claims a pin directory for this process: two daemons that repair the same maps would undo each other's work.
 *
 * @returns what gives it back
 * @throws VetchError INVALID: not on a bpffs; IN_USE: another live daemon has it
 */
export function claimBpffs(directory: string): Disposable {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw notBpffs(directory, cause);
  }
  if (!isBpffs(directory)) throw notBpffs(directory);
  const path = join(directory, ownerName);
  for (let attempt = 0; ; attempt++) {
    try {
      symlinkSync(holderRecord(), path);
      return { [Symbol.dispose]: () => remove(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const pid = liveHolder(readOwner(path));
      if (pid !== undefined || attempt > 3) {
        throw new VetchError(
          'IN_USE',
          `the pins in ${directory} are in use by process ${pid}`,
          'stop that daemon first, or give this one another directory with --bpffs',
        );
      }
      remove(path);
    }
  }
}

function readOwner(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was quicker, or it was removed with everything else.
  }
}

function notBpffs(directory: string, cause?: unknown): VetchError {
  return new VetchError(
    'INVALID',
    `${directory} is not on a BPF file system`,
    'mount one with `mount -t bpf bpf /sys/fs/bpf`, or name a directory of one with --bpffs',
    { cause },
  );
}
