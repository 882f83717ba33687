import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { nameEvent } from '../api/schemas/names.ts';
import { Names } from './names.ts';

/** Milliseconds between two writes while names change all the time. */
const every = 2000;

/** The last known names on disk, for a resolver that starts while there is no daemon. */
export class NamesFile {
  readonly #path: string;
  readonly #failed: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, failed: (error: unknown) => void) {
    this.#path = path;
    this.#failed = failed;
  }

  /** What was kept; no names when there is nothing that can be read. */
  read(): Names {
    const names = new Names();
    try {
      for (const line of readFileSync(this.#path, 'utf8').split('\n').filter(Boolean))
        names.apply(nameEvent.parse(JSON.parse(line)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#failed(error);
      return new Names();
    }
    return names;
  }

  /** Writes soon what `names` gives then. */
  keep(names: () => Names): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write(names());
    }, every).unref();
  }

  #write(names: Names): void {
    try {
      const text = [...names.events()].map((event) => `${JSON.stringify(event)}\n`).join('');
      writeFileSync(`${this.#path}.new`, text, { mode: 0o640 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Writes what is still to be written. */
  close(names: Names): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#write(names);
  }
}
