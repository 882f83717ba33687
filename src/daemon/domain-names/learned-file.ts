import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const line = z.object({
  /** Its id: numbers are given out again. */
  endpoint: z.string(),
  address: z.string(),
  /** Until when, in milliseconds since the boot, by name; empty: it is forgotten. */
  names: z.record(z.string(), z.number()),
  /** Since when no answer holds. */
  expired: z.number().optional(),
});

/** What one endpoint was told of one address; a later line stands for those before it. */
export type LearnedLine = z.output<typeof line>;

/** So many lines more than there are addresses may lie in the file. */
const slack = 4096;

/**
 * What endpoints were told, for a daemon that starts anew: it holds for this boot, whose clock it is by. Lines are added to
 * the file before the answer is given, and it is written anew when most of them are old.
 */
export class LearnedFile {
  readonly #path: string;
  readonly #boot: string;
  #lines = 0;

  constructor(path: string, boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) {
    this.#path = path;
    this.#boot = boot;
  }

  /** Of each address the last line; nothing of another boot, or that cannot be read. */
  read(): LearnedLine[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const [head, ...rest] = text.split('\n');
    if (head !== this.#boot) return [];
    const found = new Map<string, LearnedLine>();
    for (const one of rest) {
      // The last may be cut short: the daemon was killed, and its answer was not given.
      const parsed = line.safeParse(parse(one));
      if (!parsed.success) continue;
      const { endpoint, address, names } = parsed.data;
      if (Object.keys(names).length === 0) found.delete(`${endpoint} ${address}`);
      else found.set(`${endpoint} ${address}`, parsed.data);
    }
    return [...found.values()];
  }

  /** @param all gives all that is known now, of so many addresses. @throws Error: the disk */
  add(lines: readonly LearnedLine[], addresses: number, all: () => readonly LearnedLine[]): void {
    // The first time, too: what is there may be cut short.
    if (this.#lines === 0 || this.#lines + lines.length > 2 * addresses + slack) {
      this.#write(all());
    } else {
      const before = this.#lines;
      // A line of which the disk took a part would spoil the next: then it is written anew.
      this.#lines = 0;
      appendFileSync(this.#path, textOf(lines));
      this.#lines = before + lines.length;
    }
  }

  #write(lines: readonly LearnedLine[]): void {
    const fresh = `${this.#path}.new`;
    writeFileSync(fresh, `${this.#boot}\n${textOf(lines)}`, { mode: 0o600 });
    renameSync(fresh, this.#path);
    this.#lines = lines.length;
  }
}

function textOf(lines: readonly LearnedLine[]): string {
  return lines.map((one) => `${JSON.stringify(one)}\n`).join('');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
