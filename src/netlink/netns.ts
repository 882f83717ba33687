import { fstatSync, statSync } from 'node:fs';
import * as libc from '../loader/ffi/libc.ts';
import { KernelError } from '../loader/kernel-error.ts';

const NS_GET_NSTYPE = 0xb703;
const threadNetns = '/proc/thread-self/ns/net';

/** A network namespace, held by a descriptor: it lives as long as this is open, whatever becomes of its path. */
export class Netns implements Disposable {
  readonly #descriptor: libc.Descriptor;
  /** How it was found; for messages. */
  readonly path: string;
  /** With `device` it tells namespaces apart, while they live. */
  readonly inode: number;
  readonly device: number;
  #cookie: bigint | undefined;

  /** Takes over the descriptor. */
  constructor(fd: number, path: string) {
    const { ino, dev } = fstatSync(fd);
    this.#descriptor = new libc.Descriptor(fd, path);
    this.path = path;
    this.inode = ino;
    this.device = dev;
  }

  /** @throws {KernelError} EBADF when it has been closed. */
  get fd(): number {
    return this.#descriptor.fd;
  }

  /** The number that programs know it by; never used twice while the machine is up. */
  get cookie(): bigint {
    this.#cookie ??= withNetns(this, () => {
      const fd = libc.socket(libc.AddressFamily.UNIX, libc.SocketType.DGRAM, 0);
      try {
        return libc.netnsCookie(fd);
      } finally {
        libc.close(fd);
      }
    });
    return this.#cookie;
  }

  /** Whether both are the same namespace. */
  equals(other: Netns): boolean {
    return this.inode === other.inode && this.device === other.device;
  }

  close(): void {
    this.#descriptor.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * @param path `/run/netns/NAME`, `/proc/PID/ns/net`, where an engine has mounted a sandbox.
 * @throws {KernelError} `ENOENT`: it is not there; `EINVAL`: it is not a network namespace.
 */
export function openNetns(path: string): Netns {
  const fd = libc.open(path);
  try {
    const type = namespaceType(fd, path);
    if (type !== libc.NamespaceType.NETWORK) throw notANetns(path);
    return new Netns(fd, path);
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** The calling thread's. */
export function currentNetns(): Netns {
  return new Netns(libc.open(threadNetns), threadNetns);
}

/** A new and empty one, without a name: it is gone when nobody holds it, so nothing has to be cleaned up. */
export function createNetns(): Netns {
  return returning(() => {
    libc.unshare(libc.NamespaceType.NETWORK);
    return new Netns(libc.open(threadNetns), 'a network namespace of our own');
  });
}

/**
 * Runs a function with the calling thread in a network namespace, and comes back whatever happens.
 *
 * @param fn must be synchronous: other work of the event loop must never see the namespace. File system calls of it
 *   must be the synchronous ones too, since the others run on other threads.
 */
export function withNetns<T>(ns: Netns, fn: () => T extends PromiseLike<unknown> ? never : T): T {
  if (isCurrent(ns)) return fn() as T;
  return returning(() => {
    libc.setns(ns.fd, libc.NamespaceType.NETWORK);
    return fn() as T;
  });
}

/** Entering the namespace that one is in takes CAP_SYS_ADMIN too, which a daemon for Docker alone does without. */
function isCurrent({ inode, device }: Pick<Netns, 'inode' | 'device'>): boolean {
  const { ino, dev } = statSync(threadNetns);
  return inode === ino && device === dev;
}

/** Runs a function that changes the thread's namespace. If there is no way back, the process must not live on. */
function returning<T>(fn: () => T): T {
  const home = libc.open(threadNetns);
  const { ino: inode, dev: device } = fstatSync(home);
  try {
    return fn();
  } finally {
    try {
      if (!isCurrent({ inode, device })) libc.setns(home, libc.NamespaceType.NETWORK);
    } catch (error) {
      process.stderr.write(`vetch: INTERNAL: a thread is lost in a network namespace: ${String(error)}\n`);
      process.abort();
    }
    libc.close(home);
  }
}

function namespaceType(fd: number, path: string): number {
  try {
    return libc.ioctl(fd, NS_GET_NSTYPE, 0, 'use', path);
  } catch (error) {
    if (KernelError.is(error, 'ENOTTY', 'EINVAL')) throw notANetns(path);
    throw error;
  }
}

function notANetns(path: string): KernelError {
  const EINVAL = 22;
  return new KernelError(EINVAL, 'use', path, 'name a file such as /run/netns/NAME or /proc/PID/ns/net', {
    detail: 'It is not a network namespace',
  });
}
