import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from 'lmdb';
import { describe, expect, test } from 'vitest';
import { openEmbeddedStore } from '../../src/store/embedded.ts';
import { storeCompliance } from './store.ts';
import { sampleNetwork } from './store-records.ts';

const writer = fileURLToPath(new URL('store-writer.ts', import.meta.url));

async function directory() {
  const place = await mkdtemp(join(tmpdir(), 'vetch-store-'));
  return { place, remove: () => rm(place, { recursive: true, force: true }) };
}

storeCompliance({
  name: 'embedded',
  place: directory,
  open: openEmbeddedStore,
  // Also on runtimes that do not strip types by themselves.
  writer: (place) => [process.execPath, '--experimental-strip-types', '--no-warnings', writer, place],
});

describe('the embedded store', () => {
  /** Runs `change` on a database of the store behind its back. */
  async function tamper(place: string, database: string, key: string, value: string): Promise<void> {
    const root = open({ path: join(place, 'state.mdb'), noSubdir: true, encoding: 'string', maxDbs: 8 });
    await root.openDB({ name: database, encoding: 'string' }).put(key, value);
    await root.close();
  }

  async function withStore(run: (place: string) => Promise<void>): Promise<void> {
    const { place, remove } = await directory();
    try {
      const store = await openEmbeddedStore(place);
      await store.putNetwork(sampleNetwork(1));
      await store.close();
      await run(place);
    } finally {
      await remove();
    }
  }

  test.each([
    ['networks', 'abc', '{"schema":1,"na', 'INTERNAL', /networks\/abc .*JSON/],
    ['endpoints', 'abc', '{"schema":1,"name":"web"}', 'INTERNAL', /endpoints\/abc .*id/],
    ['networks', 'abc', '{"name":"web"}', 'INTERNAL', /networks\/abc .*schema/],
    ['networks', 'abc', '{"schema":4,"name":"web"}', 'UNSUPPORTED', /networks\/abc .*schema 4.* 3/],
  ])('names the record in %s that it cannot read', async (database, key, value, code, message) => {
    await withStore(async (place) => {
      await tamper(place, database, key, value);
      const store = await openEmbeddedStore(place);
      await expect(store.load()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
      await store.close();
    });
  });

  test('refuses a state that a newer version wrote, and leaves it as it is', async () => {
    await withStore(async (place) => {
      await tamper(place, 'meta', 'schema', '4');
      await expect(openEmbeddedStore(place)).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        message: expect.stringContaining('schema 4'),
      });
      await tamper(place, 'meta', 'schema', '1');
      const store = await openEmbeddedStore(place);
      expect((await store.load()).networks.size).toBe(1);
      await store.close();
    });
  });

  test.each(['not a database'.repeat(1000), 'short'])(
    'refuses a file that is none of its own, naming it',
    async (text) => {
      const { place, remove } = await directory();
      try {
        await writeFile(join(place, 'state.mdb'), text);
        await expect(openEmbeddedStore(place)).rejects.toMatchObject({
          code: 'INTERNAL',
          message: expect.stringContaining(join(place, 'state.mdb')),
        });
      } finally {
        await remove();
      }
    },
  );

  test('is not held by a process number that now belongs to another process', async () => {
    await withStore(async (place) => {
      const dead = JSON.stringify({ pid: 1, started: '1', boot: 'another boot', pidNamespace: 'pid:[1]' });
      await tamper(place, 'meta', 'writer', dead);
      await (await openEmbeddedStore(place)).close();
    });
  });
});
