import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeap } from '../loader/ffi/libc.ts';

/** Bytes that are worth a collection. */
const worthwhile = 16 * 2 ** 20;

type Collect = (how: { type: 'major'; flavor: 'last-resort' }) => void;

let collect: Collect | undefined;
/** Bytes that were resident after the last release. */
let kept = 0;

/**
 * Gives back what only the start has needed: it leaves as much garbage as the daemon has memory in use, and a daemon with
 * nothing to do would never collect it. Takes some 20 ms, and 150 with ten thousand endpoints.
 */
export function releaseMemory(): void {
  collect ??= exposedCollector();
  collect({ type: 'major', flavor: 'last-resort' });
  trimHeap();
  kept = process.memoryUsage.rss();
}

/** Likewise what has come together since, if it may be worth it: half of it is no JavaScript. For moments at which nobody waits. */
export function releaseGarbage(): void {
  if (process.memoryUsage.rss() - kept > worthwhile) releaseMemory();
}

function exposedCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
