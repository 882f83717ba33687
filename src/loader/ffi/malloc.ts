import { declare } from './call.ts';

const mallocTrim = declare<(keep: number) => number>('int malloc_trim(size_t)');
const mallopt = declare<(parameter: number, value: number) => number>('int mallopt(int, int)');

/** Of malloc.h. */
const parameters = { trimThreshold: -1, mmapThreshold: -3, arenaMax: -8 };

/**
 * Has the C library give back what is free. By itself it raises its thresholds with the largest buffer that it has seen
 * freed, and keeps as much: a pass over ten thousand endpoints would be paid for until the end.
 */
export function boundHeap(): void {
  mallopt(parameters.mmapThreshold, 128 * 1024);
  mallopt(parameters.trimThreshold, 128 * 1024);
  mallopt(parameters.arenaMax, 2);
}

/** Gives the pages back that the C library has no more use for. */
export function trimHeap(): void {
  mallocTrim(0);
}
