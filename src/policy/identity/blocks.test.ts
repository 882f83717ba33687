import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalPrefix, prefixContains } from '../../model/address.ts';
import { addressBits, BlockTable } from './blocks.ts';

const cidr = fc
  .oneof(
    fc.tuple(fc.constantFrom('10.0.0.0', '10.0.1.0', '10.0.0.3', '203.0.113.9'), fc.integer({ min: 0, max: 32 })),
    fc.tuple(fc.constantFrom('fd00::', 'fd00::3', '2001:db8::1'), fc.integer({ min: 0, max: 128 })),
  )
  .map(([address, length]) => canonicalPrefix(`${address}/${length}`));
const address = fc.constantFrom('10.0.0.3', '10.0.1.7', '203.0.113.9', 'fd00::3', 'fd00::4', '2001:db8::1', '::1');

test('the longest block of an address and those around it are all that hold it, families apart', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(cidr, { maxLength: 12 }),
      fc.uniqueArray(cidr, { maxLength: 4 }),
      address,
      (added, removed, one) => {
        const table = new BlockTable();
        for (const text of added) table.add(text);
        for (const text of removed) table.remove(text);
        const block = table.longest(addressBits(one));
        const chain = block === undefined ? [] : table.chain(block).map((outer) => outer.cidr);
        const length = (text: string) => Number(text.split('/')[1]);
        const holding = added.filter((text) => !removed.includes(text) && prefixContains(text, one));
        expect(chain).toEqual(holding.sort((a, b) => length(b) - length(a)));
      },
    ),
  );
});

test('a block is there for as long as somebody uses it', () => {
  const table = new BlockTable();
  expect([table.add('10.0.0.0/8'), table.add('10.0.0.0/8'), table.remove('10.0.0.0/8')]).toEqual([true, false, false]);
  expect(table.longest(addressBits('10.1.2.3'))?.cidr).toBe('10.0.0.0/8');
  expect(table.remove('10.0.0.0/8')).toBe(true);
  expect(table.longest(addressBits('10.1.2.3'))).toBeUndefined();
});
