import { expect, test } from 'vitest';
import { BackendHealth } from './health.ts';

test('two failures in a row make a backend unhealthy, and one success makes it healthy', () => {
  const health = new BackendHealth();
  expect(health.isHealthy('s', 'a')).toBe(true);
  expect(health.note('s', 'a', false)).toBe(false);
  expect(health.note('s', 'a', true)).toBe(false);
  expect(health.note('s', 'a', false)).toBe(false);
  expect([health.isHealthy('s', 'a'), health.note('s', 'a', false)]).toEqual([true, true]);
  expect([health.isHealthy('s', 'a'), health.isHealthy('t', 'a')]).toEqual([false, true]);
  expect(health.note('s', 'a', false)).toBe(false);
  expect([health.note('s', 'a', true), health.isHealthy('s', 'a')]).toEqual([true, true]);
});

test('the next daemon begins with what this one knew', () => {
  const health = new BackendHealth();
  for (const endpoint of ['a', 'a', 'b', 'c', 'c']) health.note('s', endpoint, false);
  health.keep((_, endpoint) => endpoint !== 'c');
  expect(health.unhealthy).toEqual(['s a']);
  expect(new BackendHealth(health.unhealthy).isHealthy('s', 'a')).toBe(false);
});
