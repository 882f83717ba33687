import koffi from 'koffi';
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

  private constructor(address: bigint, size: number) {
    this.#address = address;
    this.#size = size;
    this.bytes = viewOf(address, size);
  }

  /** Shared with the kernel. A negative errno instead where it refuses. */
  static map(fd: number, offset: number, size: number, writable: boolean): Mapping | number {
    const address = BigInt(mmap(null, size, writable ? read | write : read, shared, fd, offset));
    return address === -1n ? -koffi.errno() : new Mapping(address, size);
  }

  close(): void {
    munmap(this.#address, this.#size);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Bytes of a page of memory. */
export const pageSize = declare<(name: number) => number>('long sysconf(int name)');
export const scPageSize = 30;
