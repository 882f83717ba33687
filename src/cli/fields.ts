import { colour, stdout } from './terminal.ts';

/** One object as lines of `name  value`; a list on lines of its own. */
export async function printFields(fields: Readonly<Record<string, string | number | boolean | readonly string[]>>) {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  let text = '';
  for (const [name, value] of Object.entries(fields)) {
    const lines = typeof value === 'object' ? value : [String(value)];
    text += `${colour(name.padEnd(width), 'bold')}  ${lines[0] ?? '-'}\n`;
    for (const line of lines.slice(1)) text += `${' '.repeat(width)}  ${line}\n`;
  }
  await stdout.write(text);
}
