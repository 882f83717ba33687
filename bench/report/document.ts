import { existsSync, readFileSync } from 'node:fs';
import type { Figure } from '../row.ts';
import { machineFacts, versions } from './machine.ts';

/** One figure, as docs/benchmarks.json has it. Several may have the same `row`; it holds when all of them do. */
export interface ReportedRow {
  readonly row: number;
  readonly name: string;
  readonly unit: string;
  readonly vetch: number;
  readonly spread: readonly number[];
  readonly peers: Readonly<Record<string, number>>;
  readonly goal: string;
  /** Whether every goal of the row was reached. */
  readonly holds: boolean;
  readonly note: string;
  /** When it was measured, RFC 3339: single rows can be measured again. */
  readonly date: string;
}

/** docs/benchmarks.json */
export interface Report {
  readonly machine: string;
  readonly kernel: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Of the newest row. */
  readonly date: string;
  readonly rows: readonly ReportedRow[];
}

export function reported(row: number, figures: readonly Figure[], date: string): ReportedRow[] {
  const holds = figures.every(({ goal, vetch }) => goal.reached(vetch));
  return figures.map(({ goal, ...figure }) => ({ row, ...figure, goal: goal.text, holds, date })).map(inOrder);
}

function inOrder({ row, name, unit, vetch, spread, peers, goal, holds, note, date }: ReportedRow): ReportedRow {
  return { row, name, unit, vetch, spread, peers, goal, holds, note, date };
}

/** Puts a row's figures in the place of its old ones. Those of another machine or kernel are forgotten. */
export function updated(path: string, row: number, figures: readonly Figure[]): Report {
  const date = new Date().toISOString();
  const facts = machineFacts();
  const old = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Report) : undefined;
  const comparable = old?.machine === facts.machine && old.kernel === facts.kernel ? old.rows : [];
  const rows = [...comparable.filter((one) => one.row !== row), ...reported(row, figures, date)];
  return { ...facts, versions: versions(), date, rows: rows.sort((a, b) => a.row - b.row) };
}
