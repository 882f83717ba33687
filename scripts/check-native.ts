/** Loads the packages that bring native code: each ships it prebuilt, so nothing was compiled at install. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import koffi from 'koffi';
import { open } from 'lmdb';

const getpid = koffi.load(null).func('int getpid()');
if (getpid() !== process.pid) throw new Error('koffi calls into libc, and gets a wrong answer');

const directory = mkdtempSync(join(tmpdir(), 'vetch-lmdb-'));
try {
  const database = open({ path: join(directory, 'state.mdb') });
  await database.put('key', 'value');
  if (database.get('key') !== 'value') throw new Error('lmdb does not give back what it was given');
  await database.close();
} finally {
  rmSync(directory, { recursive: true });
}
