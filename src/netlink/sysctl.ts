import { readFileSync, writeFileSync } from 'node:fs';
import { errnoNumber } from '../loader/ffi/errno.ts';
import { KernelError } from '../loader/kernel-error.ts';
import { type Netns, withNetns } from './netns.ts';

/** A setting of the kernel and its value. */
export interface SysctlSetting {
  /** Below /proc/sys, with slashes, since device names have dots: `net/ipv4/conf/vetch0/forwarding`. */
  readonly path: string;
  readonly value: string;
}

/** @param ns default: the calling thread's. @returns without the line's end */
export function readSysctl(ns: Netns | undefined, path: string): string {
  const read = () => attempt('read', path, () => readFileSync(file(path), 'utf8').trimEnd());
  return ns ? withNetns(ns, read) : read();
}

/** @param ns default: the calling thread's. */
export function writeSysctl(ns: Netns | undefined, path: string, value: string): void {
  writeSysctls(ns, [{ path, value }]);
}

/** Several, with one change of namespace; stops at the first that is refused. */
export function writeSysctls(ns: Netns | undefined, settings: readonly SysctlSetting[]): void {
  const write = () => {
    for (const { path, value } of settings) attempt(`write ${value} to`, path, () => writeFileSync(file(path), value));
  };
  if (settings.length === 0) return;
  if (ns) withNetns(ns, write);
  else write();
}

/** The directory shows the settings of the thread that looks: /proc/sys/net is a namespace's own. */
function file(path: string): string {
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) {
    throw new RangeError(`'${path}' is not the path of a sysctl`);
  }
  return `/proc/sys/${path}`;
}

function attempt<T>(operation: string, path: string, fn: () => T): T {
  try {
    return fn();
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new KernelError(errnoNumber(String(cause.code)), operation, `sysctl ${path}`, undefined, { cause });
  }
}
