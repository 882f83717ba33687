import fc from 'fast-check';
import { expect, test } from 'vitest';
import { alignSlots } from './members.ts';

test('the last slot moves into the hole that a leaver leaves', () => {
  expect(alignSlots([10, 11, 12, 13], new Set([10, 12, 13]))).toEqual([10, 13, 12]);
});

test('newcomers go to the end and nobody else moves', () => {
  expect(alignSlots([10, 11], new Set([9, 11, 10]))).toEqual([10, 11, 9]);
});

test('whatever was there, each member has exactly one slot, and what is right is not touched', () => {
  const ifindexes = fc.array(fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(ifindexes, fc.uniqueArray(fc.integer({ min: 1, max: 30 })), (current, wanted) => {
      const slots = alignSlots(current, new Set(wanted));
      expect([...slots].sort()).toEqual([...wanted].sort());
      expect(alignSlots(slots, new Set(wanted))).toEqual(slots);
    }),
  );
});
