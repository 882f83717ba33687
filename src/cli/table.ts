import { colour, type Output, stdout } from './terminal.ts';

/** One column: its title and the cell it shows of a row. */
export interface Column<Row> {
  readonly title: string;
  /** Numbers stand on the right. */
  readonly right?: boolean;
  cell(row: Row): string | number | readonly string[];
}

/** Rows that are sent on together in a pipe. */
const rowsPerWrite = 512;

/**
 * A table with aligned columns on a terminal; in a pipe, the same cells separated by tabs, an empty one as `-`,
 * under the same titles.
 */
export async function printTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  output: Output = stdout,
): Promise<void> {
  const header = columns.map((column) => column.title);
  const cells = rows.map((row) => columns.map((column) => text(column.cell(row))));
  if (output.isTerminal) {
    await output.write(aligned(columns, [header, ...cells]));
    return;
  }
  await output.write(`${header.join('\t')}\n`);
  for (let start = 0; start < cells.length; start += rowsPerWrite) {
    const part = cells.slice(start, start + rowsPerWrite);
    await output.write(part.map((row) => `${row.join('\t')}\n`).join(''));
  }
}

function text(cell: string | number | readonly string[]): string {
  const plain = typeof cell === 'object' ? cell.join(',') : String(cell);
  return plain === '' ? '-' : plain.replace(/\p{Cc}/gu, ' ');
}

function aligned<Row>(columns: readonly Column<Row>[], lines: readonly (readonly string[])[]): string {
  const widths = columns.map((_, i) => lines.reduce((most, line) => Math.max(most, line[i]?.length ?? 0), 0));
  return lines
    .map((line, at) => {
      const padded = line.map((cell, i) =>
        columns[i]?.right ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0),
      );
      const whole = padded.join('  ').trimEnd();
      return `${at === 0 ? colour(whole, 'bold') : whole}\n`;
    })
    .join('');
}

/** Labels and options in one cell: `a=1,b=2`. */
export function pairs(map: Readonly<Record<string, string>>): string[] {
  return Object.entries(map).map(([key, value]) => `${key}=${value}`);
}

/** An id as people read it on a terminal; whole in a pipe. */
export function shortId(id: string): string {
  return stdout.isTerminal ? id.slice(0, 12) : id;
}
