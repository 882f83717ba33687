import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from '../loader/ffi/libc.ts';

/** Bytes of garbage that are worth a collection. */
const worthwhile = 32 * 2 ** 20;

type Collect = (how: { type: 'major'; flavor: 'last-resort' }) => void;

let collect: Collect | undefined;
/** Bytes of JavaScript that were in use after the last release. */
let inUse = 0;

/**
 * Gives back what only the start has needed: it leaves as much garbage as the daemon has memory in use, and a daemon with
 * nothing to do would never collect it. Takes some 20 ms, and 150 with ten thousand endpoints.
 */
export function releaseMemory(): void {
  collect ??= exposedCollector();
  collect({ type: 'major', flavor: 'last-resort' });
  trimHeap();
  inUse = getHeapStatistics().used_heap_size;
}

/** Likewise what has come together since, if it is worth it. For moments at which nobody waits. */
export function releaseGarbage(): void {
  if (getHeapStatistics().used_heap_size - inUse > worthwhile) releaseMemory();
}

function exposedCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
