import { expect, test } from 'vitest';
import { RotatingNumbers } from './rotating-numbers.ts';

test('a number that was given up is the last to be given again', () => {
  const numbers = new RotatingNumbers(1, 3);
  expect([numbers.allocate(), numbers.allocate()]).toEqual([1, 2]);
  numbers.release(1);
  expect([numbers.allocate(), numbers.allocate(), numbers.allocate()]).toEqual([3, 1, undefined]);
  numbers.release(2);
  expect(numbers.allocate()).toBe(2);
});

test('what is known to be in use is kept for who has it', () => {
  const numbers = new RotatingNumbers(1, 9);
  numbers.skip([4, 2]);
  expect([numbers.allocate(), numbers.take(2), numbers.take(2)]).toEqual([5, true, false]);
});

test("what is none of the numbers is nobody's, whatever the kernel holds", () => {
  const numbers = new RotatingNumbers(2, 3);
  expect([0, 1, 4, 0xffff_ffff].map((number) => numbers.take(number))).toEqual([false, false, false, false]);
  expect([numbers.allocate(), numbers.allocate(), numbers.allocate()]).toEqual([2, 3, undefined]);
});
