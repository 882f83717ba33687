import { expect, test } from 'vitest';
import { NumberTable } from './number-table.ts';

test('says what a Map says, in the order of the numbers', () => {
  const table = new NumberTable<{ readonly of: number }>();
  const map = new Map<number, { readonly of: number }>();
  let seed = 1;
  for (let step = 0; step < 5_000; step++) {
    seed = (seed * 48_271) % 0x7fff_ffff;
    const number = seed % 3_000;
    if (seed % 3 === 0) expect(table.delete(number)).toBe(map.delete(number));
    else {
      const value = { of: step };
      table.set(number, value);
      map.set(number, value);
    }
    expect(table.size).toBe(map.size);
  }
  const sorted = [...map].sort(([a], [b]) => a - b);
  expect([...table]).toEqual(sorted);
  expect([...table.keys()]).toEqual(sorted.map(([number]) => number));
  expect([...table.values()]).toEqual(sorted.map(([, value]) => value));
  for (let number = 0; number < 4_000; number++) {
    expect(table.get(number)).toBe(map.get(number));
    expect(table.has(number)).toBe(map.has(number));
  }
});
