import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IntervalSet } from './interval-set.ts';

test('an interval set answers like a plain set of the same numbers', () => {
  const number = fc.integer({ min: 0, max: 40 });
  const step = fc.record({ add: fc.boolean(), first: number, length: fc.integer({ min: 0, max: 5 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const set = new IntervalSet();
      const plain = new Set<number>();
      for (const { add, first, length } of steps) {
        if (add) {
          set.add(BigInt(first), BigInt(first + length));
          for (let n = first; n <= first + length; n++) plain.add(n);
        } else {
          set.remove(BigInt(first));
          plain.delete(first);
        }
      }
      for (let n = 0; n <= 46; n++) expect(set.has(BigInt(n))).toBe(plain.has(n));
      for (let first = 0; first <= 40; first += 7) {
        let lowest: number | undefined = first;
        while (plain.has(lowest)) lowest++;
        expect(set.lowestFree(BigInt(first), 42n)).toBe(lowest <= 42 ? BigInt(lowest) : undefined);
        expect(set.overlaps(BigInt(first), BigInt(first + 3))).toBe(
          [0, 1, 2, 3].some((offset) => plain.has(first + offset)),
        );
      }
    }),
  );
});

test('numbers beyond 64 bits keep their last digit', () => {
  const set = new IntervalSet();
  const far = 1n << 127n;
  set.add(far);
  expect(set.lowestFree(far, far + 5n)).toBe(far + 1n);
});
