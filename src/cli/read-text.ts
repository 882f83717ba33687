import { readFileSync } from 'node:fs';
import { Failure } from './failure.ts';

/** A file's text, or standard input's for `-`. @throws Failure NOT_FOUND, INVALID */
export function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Failure('NOT_FOUND', `there is no file ${file}`, 'check the path');
    throw new Failure('INVALID', `cannot read ${file}: ${message}`, 'check the path and its permissions');
  }
}
