import type { Stage } from './stage.ts';

/** One figure of a row, with what it has to be. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly vetch: number;
  /** Least and greatest. */
  readonly spread: readonly number[];
  /** What else was measured in the same run, in the same unit. */
  readonly peers: Readonly<Record<string, number>>;
  readonly goal: Goal;
  /** Absolute figures, dropped rounds, what was off. */
  readonly note: string;
}

/** A row of the table of goals. */
export interface Row {
  readonly number: number;
  readonly name: string;
  run(stage: Stage): Promise<readonly Figure[]>;
}

export interface Goal {
  readonly text: string;
  reached(value: number): boolean;
}

export const atMost = (limit: number, unit = ''): Goal => ({
  text: `<= ${limit}${unit}`,
  reached: (value) => value <= limit,
});

export const atLeast = (limit: number, unit = ''): Goal => ({
  text: `>= ${limit}${unit}`,
  reached: (value) => value >= limit,
});

/** Of a figure that only tells how something grows. */
export const noGoal: Goal = { text: '–', reached: () => true };
