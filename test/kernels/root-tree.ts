import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CpioWriter } from './cpio.ts';

/** Collects a guest's root directory out of this machine's files, each once, with the directories above. */
export class RootTree {
  readonly #archive: CpioWriter;
  readonly #seen = new Set<string>(['/', '.']);

  constructor(archive: CpioWriter) {
    this.#archive = archive;
  }

  directory(path: string): void {
    if (this.#seen.has(path)) return;
    this.#seen.add(path);
    this.directory(dirname(path));
    this.#archive.directory(path);
  }

  file(path: string, content: Uint8Array, permissions?: number): void {
    if (!this.#claim(path)) return;
    this.#archive.file(path, content, permissions);
  }

  symlink(path: string, target: string): void {
    if (this.#claim(path)) this.#archive.symlink(path, target);
  }

  /** Copies a file or a directory, links kept as they are. */
  copy(from: string, to = from, skip: (path: string) => boolean = () => false): void {
    if (skip(from)) return;
    const stat = lstatSync(from);
    if (stat.isDirectory()) {
      this.directory(to);
      for (const name of readdirSync(from)) this.copy(join(from, name), join(to, name), skip);
    } else if (stat.isSymbolicLink()) {
      this.symlink(to, readlinkSync(from));
    } else if (stat.isFile()) {
      this.file(to, readFileSync(from), stat.mode & 0o777);
    }
  }

  /** Copies a program or a library to where it is, or to `to`, and every library that it is linked with. */
  program(from: string, to = from): void {
    const path = realpathSync(from);
    this.file(to, readFileSync(path), 0o755);
    this.libraries(path);
  }

  libraries(path: string): void {
    // It fails on what is linked with none.
    const { stdout: output } = spawnSync('ldd', [path], { encoding: 'utf8' });
    for (const match of output.matchAll(/(\/\S+) \(0x/g)) {
      const library = match[1] ?? '';
      if (!this.#seen.has(library) && existsSync(library)) this.file(library, readFileSync(library), 0o755);
    }
  }

  #claim(path: string): boolean {
    if (this.#seen.has(path)) return false;
    this.#seen.add(path);
    this.directory(dirname(path));
    return true;
  }
}
