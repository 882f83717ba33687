import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { plainNames } from '../flows/testing.ts';
import { Collector, type CollectProgram } from './collector.ts';
import { conntrackFilter } from './testing.ts';

function program(expire: CollectProgram['expire']): CollectProgram {
  return { expire, flush: async (filter) => filter.port.length };
}

test('it runs at once and then at intervals, and sums up', async () => {
  await using collector = new Collector({
    program: program(async () => ({ live: 7, deleted: 2 })),
    interval: 5,
    onError: () => {},
  });
  expect(collector.entries).toBeUndefined();
  await setTimeout(50);
  expect(collector.entries).toBe(7);
  const { runs, deleted, failures } = collector.numbers;
  expect(runs).toBeGreaterThan(1);
  expect(deleted).toBe(2 * runs);
  expect(failures).toBe(0);
});

test('a run that fails is counted and told, and the next one comes', async () => {
  const errors: unknown[] = [];
  await using collector = new Collector({
    program: program(() => Promise.reject(new Error('no'))),
    interval: 1,
    onError: (error) => errors.push(error),
  });
  await setTimeout(50);
  expect(collector.numbers.failures).toBe(errors.length);
  expect(errors.length).toBeGreaterThan(1);
});

test('a closed collector runs no more, and still flushes', async () => {
  let runs = 0;
  const collector = new Collector({
    program: program(async () => {
      runs++;
      return { live: 0, deleted: 0 };
    }),
    interval: 1,
    onError: () => {},
  });
  await collector.close();
  await setTimeout(20);
  expect(runs).toBe(0);
  expect(await collector.flush(conntrackFilter({ port: [80] }), plainNames)).toEqual({ flushed: 1 });
});
