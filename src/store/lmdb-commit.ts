import type { RootDatabase } from 'lmdb';
import { VetchError } from '../api/error.ts';

/** All of what `write` does, on the disk, or nothing. @throws VetchError UNAVAILABLE */
export async function commit(root: RootDatabase<string, string>, path: string, write: () => void): Promise<void> {
  try {
    // A child transaction: lmdb joins writes of one event turn, and a failure must undo this one alone.
    await root.childTransaction(write);
  } catch (cause) {
    throw new VetchError(
      'UNAVAILABLE',
      `the state in ${path} cannot be written: ${cause instanceof Error ? cause.message : cause}`,
      'make room on the disk or check its health; nothing was changed',
      { cause },
    );
  }
}
