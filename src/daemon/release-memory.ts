import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from '../loader/ffi/libc.ts';

/**
 * Gives back what only the start has needed: it leaves as much garbage as the daemon has memory in use, and a daemon with
 * nothing to do would never collect it. Takes some 20 ms.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: (how: { type: 'major'; flavor: 'last-resort' }) => void = runInNewContext('gc');
  collect({ type: 'major', flavor: 'last-resort' });
  trimHeap();
}
