/** What begins a control sequence of a terminal. */
const csi = '\u001b[';

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

const codes: Readonly<Record<Colour, string>> = { red: '31', green: '32', yellow: '33', dim: '2', bold: '1' };

export interface Output {
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): Promise<void>;
}

/** Standard output. Waits when the reader is slow; ends the process quietly when the reader has gone. */
export const stdout: Output = {
  isTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? 80,
  async write(text) {
    if (process.stdout.write(text)) return;
    await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
  },
};

export function colour(text: string, name: Colour): string {
  if (!stdout.isTerminal || process.env.NO_COLOR) return text;
  return `${csi}${codes[name]}m${text}${csi}0m`;
}

/** A reader such as `head` that closes the pipe early is no failure. */
export function quietWhenReaderLeaves(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    throw error;
  });
  // Nobody reads what went wrong; the exit status still says it.
  process.stderr.on('error', () => {});
}

/** A line that is replaced by the next one; only for people, and never on standard output. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${csi}K${text}`);
}
