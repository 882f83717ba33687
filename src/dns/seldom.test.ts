import { expect, test } from 'vitest';
import { seldom } from './seldom.ts';

test('the first is told at once, then one in 10 s, with how many were left out', () => {
  const told: string[] = [];
  let now = 0;
  const tell = seldom(
    (message) => told.push(message),
    () => now,
  );
  for (; now <= 25_000; now += 1000) tell(`at ${now}`);
  expect(told).toEqual(['at 0', 'at 10000 (and 9 more before)', 'at 20000 (and 9 more before)']);
});
