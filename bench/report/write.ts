import { writeFileSync } from 'node:fs';
import type { Figure } from '../row.ts';
import { updated } from './document.ts';
import { markdown } from './markdown.ts';

const [json, text] = ['json', 'md'].map((kind) => new URL(`../../docs/benchmarks.${kind}`, import.meta.url).pathname);

/** Puts a row's figures into docs/benchmarks.json, and writes docs/benchmarks.md from that. */
export function write(row: number, figures: readonly Figure[]): void {
  if (!json || !text) throw new Error('there are two files to write');
  const report = updated(json, row, figures);
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(text, markdown(report));
}
