import { KernelError } from './kernel-error.ts';

/**
 * Passes on what a call returned, when it is 0 or more.
 *
 * @throws {KernelError} for a negative errno.
 */
export function check(result: number, operation: string, object: string, hint?: string): number {
  if (result < 0) throw new KernelError(-result, operation, object, hint);
  return result;
}

/** Like `check`, for a description that is an errno where there is none. */
export function infoOf(info: Record<string, unknown> | number, operation: string, object: string) {
  if (typeof info === 'number') throw new KernelError(-info, operation, object);
  return info;
}
