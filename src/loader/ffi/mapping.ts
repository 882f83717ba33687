import koffi from 'koffi';
import { KernelError } from '../kernel-error.ts';
import { library } from './library.ts';
import { viewOf } from './memory.ts';

const declare = library('libc.so.6', 'a glibc system is needed');
const mmap = declare<(at: null, size: number, protection: number, flags: number, fd: number, offset: number) => bigint>(
  'intptr_t mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)',
);
const munmap = declare<(at: bigint, size: number) => number>('int munmap(intptr_t addr, size_t length)');

const read = 1;
const write = 2;
const shared = 1;

/** Pages of a file or map in our memory. After `close` its bytes must not be touched: the process would die. */
export class Mapping implements Disposable {
  readonly bytes: ArrayBuffer;
  readonly #address: bigint;
  readonly #size: number;
  #closed = false;

  private constructor(address: bigint, size: number) {
    this.#address = address;
    this.#size = size;
    this.bytes = viewOf(address, size);
  }

  /**
   * Shared with the kernel.
   *
   * @param what for the error, as `the data of flow_events`.
   * @throws {KernelError} where the kernel refuses.
   */
  static map(fd: number, offset: number, size: number, writable: boolean, what: string): Mapping {
    const address = BigInt(mmap(null, size, writable ? read | write : read, shared, fd, offset));
    if (address === -1n) throw new KernelError(koffi.errno(), 'map', what);
    return new Mapping(address, size);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    munmap(this.#address, this.#size);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const sysconf = declare<(name: number) => number | bigint>('long sysconf(int name)');
/** `_SC_PAGESIZE` */
const scPageSize = 30;

/** Bytes of a page of memory. */
export function pageSize(): number {
  return Number(sysconf(scPageSize));
}
