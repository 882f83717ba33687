import { expect, test } from 'vitest';
import type { NameEvent } from '../api/schemas/names.ts';
import { followNames } from './follow-names.ts';
import type { Names } from './names.ts';
import { endpoint, network } from './testing.ts';

const web = network('web', 88);
const shop = endpoint('shop', web, 2);
const synced: NameEvent = { event: 'synced' };

/** Follows daemons one after the other, each of which tells its lines and dies; gives what was known after each step. */
async function follow(...daemons: (readonly unknown[])[]): Promise<string[]> {
  const steps: string[] = [];
  const stop = new AbortController();
  let names: Names | undefined;
  const known = () => `${names?.networks.length ?? '-'}/${names?.size ?? '-'}`;
  await followNames({
    follow: async function* () {
      const lines = daemons.shift();
      if (daemons.length === 0) stop.abort();
      yield* lines ?? [];
      throw new Error('the socket is gone');
    },
    replaced: (fresh) => {
      names = fresh;
      steps.push(`replaced ${known()}`);
    },
    changed: (networks) => steps.push(`changed ${known()}${networks ? ' networks' : ''}`),
    connected: (follows, why) => steps.push(follows ? 'follows' : `away: ${why} ${known()}`),
    signal: stop.signal,
    retryMs: 1,
  });
  return steps;
}

test('names are replaced once all have been told, change with each line, and stay when the daemon dies', async () => {
  const removed: NameEvent = { event: 'removed', id: shop.id };
  const gone: NameEvent = { event: 'removed', id: web.id };
  expect(await follow([web, shop, synced, removed, gone], [])).toEqual([
    'replaced 1/1',
    'follows',
    'changed 1/0',
    'changed 0/0 networks',
    'away: the socket is gone 0/0',
  ]);
});

test('a daemon that dies before it has told everything takes no name away', async () => {
  expect(await follow([web, shop, synced], [web], [])).toEqual([
    'replaced 1/1',
    'follows',
    'away: the socket is gone 1/1',
    'away: the socket is gone 1/1',
  ]);
});

test('a line that is not understood is passed over: a newer daemon may tell more', async () => {
  const steps = await follow([{ event: 'weather' }, 'noise', web, { event: 'endpoint' }, shop, synced], []);
  expect(steps[0]).toBe('replaced 1/1');
});
