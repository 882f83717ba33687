import { constants } from 'node:fs';
import { KernelError } from '../kernel-error.ts';
import { checked, declare, retried } from './call.ts';
import { errnoNumber } from './errno.ts';

const c = {
  open: declare<(path: string, flags: number, mode: number) => number>(
    'int open(const char *pathname, int flags, uint32_t mode)',
  ),
  close: declare<(fd: number) => number>('int close(int fd)'),
  fcntl: declare<(fd: number, command: number, argument: number) => number>('int fcntl(int fd, int cmd, long arg)'),
  ioctl: declare<(fd: number, request: number, argument: number) => number>(
    'int ioctl(int fd, unsigned long request, long arg)',
  ),
  poll: declare<(fds: Uint8Array, count: number, timeout: number) => number>(
    'int poll(_Inout_ uint8_t *fds, unsigned long nfds, int timeout)',
  ),
};

const O_CLOEXEC = 0o2000000;

/**
 * The caller closes what it gets. Close-on-exec is always set.
 *
 * @param flags of `node:fs` constants; default: for reading.
 */
export function open(path: string, flags: number = constants.O_RDONLY, mode = 0o600): number {
  return checked(
    retried(() => c.open(path, flags | O_CLOEXEC, mode)),
    'open',
    path,
  );
}

/** Never throws: a descriptor is gone after close(2) whatever it returned. */
export function close(fd: number): void {
  c.close(fd);
}

/**
 * A descriptor with an owner: closed once, however often it is asked for, and never used again. A number that is
 * used after it was closed means whatever has been opened since.
 */
export class Descriptor implements Disposable {
  readonly #what: string;
  #fd: number;

  /** @param what it is of, for messages. */
  constructor(fd: number, what: string) {
    this.#fd = fd;
    this.#what = what;
  }

  /** @throws {KernelError} EBADF when it has been closed. */
  get fd(): number {
    if (this.#fd < 0) throw new KernelError(errnoNumber('EBADF'), 'use', this.#what);
    return this.#fd;
  }

  close(): void {
    if (this.#fd >= 0) close(this.#fd);
    this.#fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A second descriptor of the same open file, close-on-exec. */
export function duplicate(fd: number): number {
  const F_DUPFD_CLOEXEC = 1030;
  return checked(c.fcntl(fd, F_DUPFD_CLOEXEC, 0), 'duplicate', `descriptor ${fd}`);
}

/** For requests whose argument is a number or absent. */
export function ioctl(fd: number, request: number, argument: number, operation: string, object: string): number {
  return checked(
    retried(() => c.ioctl(fd, request, argument)),
    operation,
    object,
  );
}

/** What poll(2) waits for and reports. */
export const PollEvent = { IN: 1, OUT: 4, ERR: 8, HUP: 16, NVAL: 32 } as const;

/**
 * Blocks the calling thread: for worker threads, or with a timeout of 0.
 *
 * @param timeoutMs -1 waits for ever.
 * @returns the events that came, 0 at the timeout or when a signal interrupted.
 */
export function poll(fd: number, events: number, timeoutMs: number): number {
  const pollfd = new Uint8Array(8);
  const view = new DataView(pollfd.buffer);
  view.setInt32(0, fd, littleEndian);
  view.setInt16(4, events, littleEndian);
  const result = c.poll(pollfd, 1, timeoutMs);
  return result > 0 ? view.getUint16(6, littleEndian) : 0;
}

/** Whether this machine's numbers begin with their lowest byte; structs of the kernel are in its order. */
export const littleEndian: boolean = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
