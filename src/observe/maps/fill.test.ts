import { expect, test } from 'vitest';
import { isNearlyFull } from './fill.ts';

test.each([
  ['endpoints', 'hash', true],
  ['conntrack', 'lru_hash', true],
  ['service_slots', 'array', true],
  // What has been used longest ago makes room, and costs nobody a flow.
  ['affinity', 'lru_hash', false],
  ['sock_reverse', 'lru_hash', false],
  ['quotas', 'array', false],
])('a full map %s is said to be nearly full: %s %s', (name, type, said) => {
  expect(isNearlyFull({ name, type, entries: 100, capacity: 100 })).toBe(said);
});
