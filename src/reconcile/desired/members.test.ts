import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemberSlots } from './members.ts';

function slotsOf(...ifindexes: number[]): MemberSlots {
  const slots = new MemberSlots();
  for (const ifindex of ifindexes) slots.add(1, ifindex);
  return slots;
}

test('the last slot moves into the hole that a leaver leaves', () => {
  const slots = slotsOf(10, 11, 12, 13);
  expect(slots.remove(1, 11)).toEqual({ moved: { slot: 1, ifindex: 13 }, freed: 3 });
  expect(slots.of(1)).toEqual([10, 13, 12]);
  expect(slots.remove(1, 12)).toEqual({ freed: 2 });
  expect(slots.remove(1, 99)).toBeUndefined();
  expect(slots.of(1)).toEqual([10, 13]);
});

test('newcomers go to the end and nobody else moves', () => {
  const slots = slotsOf(10, 11);
  slots.align(1, new Set([9, 11, 10]));
  expect(slots.of(1)).toEqual([10, 11, 9]);
  expect(slots.of(2)).toEqual([]);
});

test('whatever was there, each member has exactly one slot, and what is right is not touched', () => {
  const ifindexes = fc.array(fc.integer({ min: 1, max: 30 }));
  fc.assert(
    fc.property(ifindexes, fc.uniqueArray(fc.integer({ min: 1, max: 30 })), (current, wanted) => {
      const slots = slotsOf(...current);
      slots.align(1, new Set(wanted));
      expect([...slots.of(1)].sort()).toEqual([...wanted].sort());
      const before = [...slots.of(1)];
      slots.align(1, new Set(wanted));
      expect(slots.of(1)).toEqual(before);
      for (const [slot, ifindex] of before.entries()) expect(slots.add(1, ifindex)).toEqual({ slot, ifindex });
    }),
  );
});
