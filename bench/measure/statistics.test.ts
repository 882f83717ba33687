import { expect, test } from 'vitest';
import { compare, keepSteady } from './rounds.ts';
import { median, percentile, shuffled, significant } from './statistics.ts';

test('the median is the middle one, or lies between the two', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(() => median([])).toThrow(RangeError);
});

test('a percentile is a value of the sample', () => {
  expect(percentile([5, 1, 2, 3, 4], 0.5)).toBe(3);
  expect(percentile([1, 2], 0.99)).toBe(2);
});

test('a shuffle loses nothing', () => {
  expect(shuffled([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5]);
});

test('figures have the digits that were measured', () => {
  expect(significant(1.23456)).toBe(1.235);
  expect(significant(123456, 3)).toBe(123000);
});

const rounds = [
  [10, 11],
  [20, 40],
  [10, 12],
  [11, 11],
].map(
  ([veth = 0, vetch = 0]) =>
    new Map([
      ['veth', veth],
      ['vetch', vetch],
    ]),
);

test('a round in which the control moved by more than a fifth does not count', () => {
  const kept = keepSteady(rounds, 'veth');
  expect(kept.dropped).toBe(1);
  expect(kept.rounds).toHaveLength(3);
});

test('ratios are paired: each is of one round', () => {
  const { rounds: kept } = keepSteady(rounds, 'veth');
  expect(compare(kept, 'vetch', 'veth')).toEqual({ absolute: 11, ratio: 1.1, spread: [1, 1.2] });
});
