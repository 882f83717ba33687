import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoName } from './ffi/errno.ts';

const shownLines = 12;

/** An object that the kernel or libbpf refused. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  /** As `EACCES`: the verifier said no; `E2BIG`: the program is too complex. */
  readonly code: string;
  /** Path of the object file. */
  readonly object: string;
  /** The program that was refused, where it is known. */
  readonly program: string | undefined;
  /** The last lines of the verifier's log; empty when it said nothing. */
  readonly lastLines: readonly string[];
  /** The file that holds all of the verifier's log; undefined when it said nothing. */
  readonly logPath: string | undefined;
  /** What libbpf warned of on the way. */
  readonly messages: readonly string[];

  constructor(errno: number, object: string, log: string, messages: readonly string[]) {
    const code = errnoName(errno);
    const program = messages.map((message) => /prog '([^']+)'/.exec(message)?.[1]).find((name) => name !== undefined);
    const lines = log.split('\n').filter((line) => line.trim() !== '');
    const lastLines = lines.slice(-shownLines);
    const logPath = lines.length > 0 ? keepLog(log, program ?? 'program') : undefined;
    const what = program === undefined ? object : `program ${program} of ${object}`;
    const reasons =
      logPath === undefined
        ? messages.map((message) => message.replace(/^libbpf: /, ''))
        : [...lastLines, `the whole log is in ${logPath}`];
    super([`the kernel refused ${what}: ${code}`, ...reasons].join('\n  '));
    this.code = code;
    this.object = object;
    this.program = program;
    this.lastLines = lastLines;
    this.logPath = logPath;
    this.messages = messages;
  }
}

function keepLog(log: string, program: string): string {
  const path = join(mkdtempSync(join(tmpdir(), 'vetch-verifier-')), `${program}.log`);
  writeFileSync(path, log);
  return path;
}
