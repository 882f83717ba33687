import { checked, declare } from './call.ts';

const c = {
  setns: declare<(fd: number, type: number) => number>('int setns(int fd, int nstype)'),
  unshare: declare<(flags: number) => number>('int unshare(int flags)'),
  mount: declare<
    (source: string | null, target: string, type: string | null, flags: number, data: string | null) => number
  >('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)'),
  umount2: declare<(target: string, flags: number) => number>('int umount2(const char *target, int flags)'),
  ifNameToIndex: declare<(name: string) => number>('unsigned int if_nametoindex(const char *ifname)'),
};

/** `CLONE_*` of linux/sched.h: kinds of namespace. */
export const NamespaceType = { MOUNT: 0x20000, NETWORK: 0x40000000 } as const;

/** `MS_*` of linux/mount.h. */
export const MountFlag = {
  READONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const;

/** `MNT_*`: how to unmount. */
export const UnmountFlag = { FORCE: 1, DETACH: 2 } as const;

/** Moves the calling thread, and only it, into the namespace. */
export function setns(fd: number, type: number): void {
  checked(c.setns(fd, type), 'enter', `the namespace of descriptor ${fd}`);
}

/** Gives the calling thread namespaces of its own; other threads keep theirs. */
export function unshare(flags: number): void {
  checked(c.unshare(flags), 'unshare', `namespaces ${flags.toString(16)}`);
}

export interface MountRequest {
  readonly source?: string;
  readonly target: string;
  /** `bpf`, `tmpfs` ...; absent for binds, moves and changes of propagation. */
  readonly type?: string;
  readonly flags?: number;
  /** `size=1m,mode=700` */
  readonly data?: string;
}

export function mount({ source, target, type, flags = 0, data }: MountRequest): void {
  checked(
    c.mount(source ?? null, target, type ?? null, flags, data ?? null),
    `mount ${type ?? source ?? ''} at`,
    target,
  );
}

export function umount2(target: string, flags = 0): void {
  checked(c.umount2(target, flags), 'unmount', target);
}

/** In the calling thread's network namespace; 0 where there is no such device. */
export function ifNameToIndex(name: string): number {
  return c.ifNameToIndex(name);
}
