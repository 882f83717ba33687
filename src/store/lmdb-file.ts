import { closeSync, openSync, readSync } from 'node:fs';

/** Offset and value of MDB_meta.mm_magic in the first page (lmdb's mdb.c); lmdb-js puts a checksum before it. */
const magicOffset = 24;
const magic = 0xbeefc0de;
/** The two meta pages, of the smallest page size. */
const smallestFile = 2 * 4096;

/**
 * Whether lmdb may be given this file: it dies of SIGSEGV on one that is not its own. One that is not there, or empty, is
 * made by lmdb.
 */
export function isLmdbFile(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return true;
    throw error;
  }
  try {
    const head = Buffer.alloc(smallestFile);
    const length = readSync(file, head, 0, smallestFile, 0);
    return length === 0 || (length === smallestFile && head.readUInt32LE(magicOffset) === magic);
  } finally {
    closeSync(file);
  }
}
