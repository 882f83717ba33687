import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { charts } from '../charts/all.ts';
import { svg } from '../charts/svg.ts';
import type { Figure } from '../row.ts';
import { type Report, updated } from './document.ts';
import { markdown } from './markdown.ts';

const docs = new URL('../../docs/', import.meta.url).pathname;
const json = `${docs}benchmarks.json`;

/** Puts a row's figures into docs/benchmarks.json, and writes what is written from that. */
export function write(row: number, figures: readonly Figure[]): void {
  const report = updated(json, row, figures);
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  writeFrom(report);
}

/** Writes docs/benchmarks.md and docs/charts from docs/benchmarks.json as it is. */
export function writeAgain(): void {
  writeFrom(JSON.parse(readFileSync(json, 'utf8')) as Report);
}

function writeFrom(report: Report): void {
  const drawn = charts(report.rows);
  writeFileSync(`${docs}benchmarks.md`, markdown(report, drawn));
  rmSync(`${docs}charts`, { recursive: true, force: true });
  mkdirSync(`${docs}charts`);
  for (const { file, chart } of drawn) writeFileSync(`${docs}charts/${file}.svg`, svg(chart));
}
