import { expect, test } from 'vitest';
import { IdentityTable } from './identities.ts';

test('one identity belongs to one set of labels, for as long as somebody has it', () => {
  const table = new IdentityTable();
  const take = (labels: Record<string, string>): number => {
    const identity = table.identify(labels);
    table.take(labels, identity);
    return identity;
  };
  expect([take({}), take({ a: '1' }), take({ a: '1' }), take({ a: '2' })]).toEqual([256, 257, 257, 258]);
  table.release({ a: '1' });
  expect(table.identify({ a: '1' })).toBe(257);
  expect(table.identify({ b: '1' })).toBe(259);
  table.release({ a: '1' });
  expect(table.identify({ b: '1' })).toBe(257);
});

test('labels that only look alike have different identities', () => {
  const table = new IdentityTable();
  table.take({ a: '1,b=2' }, 256);
  expect(table.identify({ a: '1', b: '2' })).toBe(257);
});
