import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blockSlots, type PlacedTable, ServiceTables } from './service-tables.ts';

const table = (slots: number, number = 1) => new Uint16Array(slots).fill(number);
const end = ({ first, slots }: PlacedTable) => first + Math.ceil(slots.length / blockSlots);

test('a table that does not change stays where it is, and one that does goes elsewhere', () => {
  const tables = new ServiceTables(10);
  const before = tables.put(1, table(200));
  expect(tables.put(1, table(200))).toBe(before);
  const after = tables.put(1, table(200, 2));
  expect(after.first).toBeGreaterThanOrEqual(end(before));
  // What was there is still to be found until it is swept.
  expect([...tables.entries()]).toHaveLength(4);
  expect(tables.sweep()).toHaveLength(2);
  expect([...tables.entries()]).toHaveLength(2);
});

test('what does not fit is refused, and the table that was there stays', () => {
  const tables = new ServiceTables(3);
  const first = tables.put(1, table(200));
  expect(() => tables.put(2, table(200))).toThrow(/service_slots/);
  expect(() => tables.put(1, table(200, 2))).toThrow(/service_slots/);
  expect([tables.of(1), tables.of(2).slots.length]).toEqual([first, 0]);
  tables.drop(1);
  tables.sweep();
  expect(tables.put(2, table(3 * blockSlots)).first).toBe(0);
});

test('tables never overlap, those that wait to be swept included', () => {
  const changes = fc.array(
    fc.record({ number: fc.integer({ min: 1, max: 6 }), slots: fc.integer({ min: 0, max: 1100 }) }),
  );
  fc.assert(
    fc.property(changes, (steps) => {
      const tables = new ServiceTables(40);
      let retired: PlacedTable[] = [];
      for (const [step, { number, slots }] of steps.entries()) {
        if (step % 3 === 0) {
          tables.sweep();
          retired = [];
        }
        const before = tables.of(number);
        try {
          if (tables.put(number, table(slots, step + 1)) !== before && before.slots.length > 0) retired.push(before);
        } catch {
          expect(tables.of(number)).toBe(before);
        }
        const all = [...tables.numbers().map((one) => tables.of(one)), ...retired].sort((a, b) => a.first - b.first);
        for (const [i, one] of all.entries()) {
          expect(end(one)).toBeLessThanOrEqual(all[i + 1]?.first ?? 40);
        }
      }
    }),
  );
});
