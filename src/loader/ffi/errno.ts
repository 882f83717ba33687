import koffi from 'koffi';
import { library } from './library.ts';

const declare = library('libc.so.6', 'a glibc system is needed');
const strerror = declare<(errnum: number) => string>('const char *strerror(int errnum)');

/** Of two names of one number, the one that the kernel's own sources use. */
const preferred = ['EAGAIN', 'EDEADLK', 'EOPNOTSUPP'];

/** Kernel-internal numbers that reach user space all the same. */
const internal: readonly (readonly [number, string, string])[] = [
  [512, 'ERESTARTSYS', 'Interrupted system call'],
  [524, 'ENOTSUPP', 'Operation is not supported'],
];

const names = new Map<number, string>(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
for (const name of preferred) {
  const number = koffi.os.errno[name];
  if (number !== undefined) names.set(number, name);
}
for (const [number, name] of internal) names.set(number, name);

const numbers = new Map([...names].map(([number, name]) => [name, number]));

/** `2` to `ENOENT`; a number without a name to `E1234`. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/** `2` to `No such file or directory`: the C library's words. */
export function errnoText(errno: number): string {
  return internal.find(([number]) => number === errno)?.[2] ?? strerror(errno);
}

/** `ENOENT` to `2`; 0 for a name that is not known. */
export function errnoNumber(name: string): number {
  return numbers.get(name) ?? koffi.os.errno[name] ?? 0;
}
