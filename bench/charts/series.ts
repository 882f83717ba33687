import type { ReportedRow } from '../report/document.ts';

/** Where the points of a line are: figures of a row whose names are alike but for a count. */
export interface Source {
  readonly label: string;
  readonly row: number;
  /** What stands before and after the count in a figure's name. */
  readonly name: readonly [before: string, after: string];
  /** The line is this peer's of those figures. Default: ours. */
  readonly peer?: string;
}

export interface Point {
  readonly count: number;
  readonly value: number;
  /** Least and greatest, where they are known. */
  readonly spread: readonly number[];
}

export interface Series {
  readonly label: string;
  readonly ours: boolean;
  /** By their counts. */
  readonly points: readonly Point[];
}

/** The line that was measured, or one without points. */
export function seriesOf(rows: readonly ReportedRow[], { label, row, name, peer }: Source): Series {
  const [before, after] = name;
  const points: Point[] = [];
  for (const figure of rows) {
    if (figure.row !== row || !figure.name.startsWith(before) || !figure.name.endsWith(after)) continue;
    const count = countOf(figure.name.slice(before.length, figure.name.length - after.length));
    const value = peer === undefined ? figure.vetch : figure.peers[peer];
    if (count === undefined || value === undefined) continue;
    points.push({ count, value, spread: peer === undefined ? figure.spread : [] });
  }
  return { label, ours: peer === undefined, points: points.sort((a, b) => a.count - b.count) };
}

/** `64,000` as it is written in names; undefined for what is no count. */
function countOf(text: string): number | undefined {
  return /^\d{1,3}(?:,\d{3})*$/.test(text) ? Number(text.replaceAll(',', '')) : undefined;
}
