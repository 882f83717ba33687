import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Mutex } from './mutex.ts';

test('work is done one at a time and in order, also after a failure', async () => {
  const mutex = new Mutex();
  const seen: string[] = [];
  const work = (name: string, ms: number) => async () => {
    seen.push(`${name} begins`);
    await sleep(ms);
    seen.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
    return name;
  };
  const results = await Promise.allSettled([mutex.run(work('a', 5)), mutex.run(work('b', 1))]);
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
  expect(mutex.depth).toBe(0);
});
