import { realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { VetchError } from '../api/error.ts';
import { cgroup2Root, isCgroup2 } from './cgroup-root.ts';

/** MAX_CGROUP_LEVEL of bpf/abi/endpoint.h: the programs look no further. */
const maxLevel = 16;
/** A pin's name takes no more bytes. */
const maxPath = 240;

/**
 * The cgroup that an endpoint of a host network is to be, by its own path.
 *
 * @throws VetchError NOT_FOUND, INVALID
 */
export function ownCgroup(given: string | undefined, network: string): string {
  if (given === undefined) {
    throw new VetchError(
      'INVALID',
      `an endpoint of network ${network} is what runs in a cgroup, and none is named`,
      'name it with --cgroup, as /sys/fs/cgroup/system.slice/nginx.service',
    );
  }
  const path = resolved(given);
  if (!isCgroup2(path)) {
    throw new VetchError('INVALID', `${given} is not a cgroup of cgroup2`, 'name a directory of its mount');
  }
  const root = cgroup2Root();
  const levels = root === undefined ? [''] : relative(root, path).split('/');
  if (levels[0] === '' || levels[0] === '..') {
    throw new VetchError('INVALID', `${given} is the whole host`, 'name a cgroup beneath it');
  }
  if (levels.length > maxLevel || path.length > maxPath) {
    throw new VetchError('INVALID', `${given} lies too deep`, `name one at most ${maxLevel} levels beneath ${root}`);
  }
  return path;
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new VetchError('NOT_FOUND', `there is no cgroup ${path}`, 'start what is to run in it first', { cause });
  }
}
