import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { settleText } from './settle-text.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Megabytes of the heap that `make` leaves in use. */
function left(make: () => unknown): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept = make();
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  expect(kept).toBeDefined();
  return bytes / 1e6;
}

const numbers = Array.from({ length: 2_000 }, (_, i) => i);
const part = (i: number) => `${i} ${'x'.repeat(10_000)}`.slice(0, 100);

test('what is cut out of longer texts does not keep them', () => {
  const settled = left(() =>
    numbers.map((i) => {
      const text = part(i);
      settleText(text);
      return text;
    }),
  );
  expect(settled).toBeLessThan(2);
  expect(left(() => numbers.map(part))).toBeGreaterThan(10);
});

test('equal texts lie in memory once', () => {
  // Each time another one, as it comes from etcd.
  const text = (i: number) => Buffer.alloc(1_000, String(i % 10)).toString();
  const settled = left(() =>
    numbers.map((i) => {
      const made = text(i);
      settleText(made);
      return made;
    }),
  );
  expect(settled).toBeLessThan(0.5);
  expect(left(() => numbers.map(text))).toBeGreaterThan(1.5);
});
