import { closeSync, constants, openSync } from 'node:fs';
import { AttachType, type CgroupAttachType } from '../attach-type.ts';
import { BpfCommand, bpf } from '../ffi/bpf.ts';
import { KernelError } from '../kernel-error.ts';
import { type Attachable, Link } from './link.ts';

export interface CgroupAttachment {
  readonly program: Attachable;
  /** A directory of the cgroup2 tree: the program runs for it and all beneath it, beside those of other tools. */
  readonly cgroupPath: string;
  readonly attachType: CgroupAttachType;
}

/**
 * Attaches to a cgroup's hook through a link (Linux 5.7).
 *
 * @throws {KernelError} ENOENT when there is no such directory; EBADF when it is of no cgroup2 tree; EPERM when a
 *   program of another tool there allows none beside it.
 */
export function attachCgroup({ program, cgroupPath, attachType }: CgroupAttachment): Link {
  const cgroup = openCgroup(cgroupPath);
  try {
    const result = bpf(BpfCommand.LINK_CREATE, 'linkCreate', {
      prog_fd: program.fd,
      target: cgroup,
      attach_type: AttachType[attachType],
    });
    if (result >= 0) return Link.own(result);
    throw new KernelError(-result, `attach ${program.name} to ${attachType}`, cgroupPath, explain(-result));
  } finally {
    closeSync(cgroup);
  }
}

/** The caller closes the descriptor. */
export function openCgroup(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const errno = Math.abs((error as NodeJS.ErrnoException).errno ?? 0);
    throw new KernelError(errno, 'open the cgroup', path, 'name a directory of the cgroup2 mount');
  }
}

function explain(errno: number): string | undefined {
  if (errno === 9) return 'the directory is not in a cgroup2 mount';
  if (errno === 1) return 'a program attached there allows no other: `bpftool cgroup tree` names it';
  return undefined;
}
