import { readFileSync, statfsSync } from 'node:fs';
import { VetchError } from '../api/error.ts';
import { cgroup2Mounts } from '../observe/doctor/host-facts.ts';

/** `CGROUP2_SUPER_MAGIC` of linux/magic.h */
const cgroup2Magic = 0x63677270;

/**
 * The cgroup whose processes the socket hooks serve: the one given, or the root of cgroup2 wherever it is mounted.
 *
 * @throws VetchError INVALID: not in cgroup2; UNSUPPORTED: there is none
 */
export function cgroupFor(given: string | undefined): string {
  if (given !== undefined) {
    if (isCgroup2(given)) return given;
    throw new VetchError(
      'INVALID',
      `${given} is not a cgroup of cgroup2`,
      'name a directory of its mount with --cgroup',
    );
  }
  const mounted = cgroup2Root();
  if (mounted !== undefined) return mounted;
  throw new VetchError(
    'UNSUPPORTED',
    'cgroup2 is not mounted, and published ports on localhost need it',
    'mount it with `mount -t cgroup2 none /sys/fs/cgroup/unified`',
  );
}

/** Where cgroup2 is mounted and can be seen; undefined: nowhere. */
export function cgroup2Root(): string | undefined {
  return cgroup2Mounts(readFileSync('/proc/self/mounts', 'utf8')).find(isCgroup2);
}

export function isCgroup2(path: string): boolean {
  try {
    return statfsSync(path).type === cgroup2Magic;
  } catch {
    return false;
  }
}
