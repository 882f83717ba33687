import { expect, test } from 'vitest';
import { Limiter } from './limiter.ts';

/** How many places each of `greedy` gets who asks for as many as it can, in turns. */
function taken(limiter: Limiter, greedy: number): number[] {
  const held = Array.from({ length: greedy }, () => 0);
  for (let turn = 0; turn < 2000; turn++)
    for (const who of held.keys()) if (limiter.enter(String(who))) held[who] = (held[who] ?? 0) + 1;
  return held;
}

test('one gets its share and no more', () => {
  expect(taken(new Limiter(1024, 64), 1)).toEqual([64]);
});

test.each([4, 16, 100, 500])('%i greedy ones leave at least an equal share to the next', (greedy) => {
  const limiter = new Limiter(1024, 64);
  const share = Math.floor(1024 / (greedy + 1));
  expect(Math.max(...taken(limiter, greedy))).toBeLessThanOrEqual(64);
  expect(1024 - limiter.running).toBeGreaterThanOrEqual(Math.min(share, 64));
  expect(limiter.enter('next')).toBeDefined();
});

test('a place that is given back is free again', () => {
  const limiter = new Limiter(2, 2);
  const leave = limiter.enter('a');
  expect([limiter.enter('b') === undefined, limiter.enter('c') === undefined]).toEqual([false, true]);
  leave?.();
  expect([limiter.running, limiter.enter('c') === undefined]).toEqual([1, false]);
});
