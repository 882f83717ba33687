import koffi from 'koffi';
import { KernelError } from '../kernel-error.ts';
import { errnoNumber } from './errno.ts';
import { library } from './library.ts';

/** Declares a function of the C library, from its prototype. */
export const declare = library('libc.so.6', 'a glibc system is needed');

/**
 * Passes on what a call of the C library returned; errno is read here, and nowhere else.
 *
 * @throws {KernelError} for -1.
 */
export function checked<T extends number | bigint>(result: T, operation: string, object: string, hint?: string): T {
  if (result >= 0) return result;
  throw new KernelError(koffi.errno(), operation, object, hint);
}

/** Calls again while a signal interrupts. */
export function retried<T extends number | bigint>(call: () => T): T {
  for (;;) {
    const result = call();
    if (result >= 0 || koffi.errno() !== EINTR) return result;
  }
}

const EINTR = errnoNumber('EINTR');
