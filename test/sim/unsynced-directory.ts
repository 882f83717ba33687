import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A directory on the disk where nobody waits for the disk: one is not to be that of two hundred hosts. In memory, in its
 * place, their copies of a cluster would take as much as the hosts. Only root may.
 */
export class UnsyncedDirectory implements Disposable {
  readonly path: string;
  readonly #directory = mkdtempSync(join(tmpdir(), 'vetch-states-'));

  constructor() {
    const part = (name: string) => join(this.#directory, name);
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(part(name));
    this.path = part('merged');
    const parts = `lowerdir=${part('lower')},upperdir=${part('upper')},workdir=${part('work')}`;
    execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', `${parts},volatile`, this.path]);
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.path]);
    rmSync(this.#directory, { recursive: true });
  }
}
