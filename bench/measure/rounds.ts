import { median, range, significant } from './statistics.ts';

/** What each subject gave in one round, by its name. */
export type Round = ReadonlyMap<string, number>;

/** How far the control may be from its own median, as a share of it, for a round to count. */
export const allowedMove = 0.2;

export interface Kept {
  readonly rounds: readonly Round[];
  /** Rounds thrown away, because the control says that the machine was busy with something else. */
  readonly dropped: number;
}

/** Keeps the rounds whose control stayed where it mostly is. */
export function keepSteady(rounds: readonly Round[], control: string): Kept {
  const values = rounds.map((round) => valueIn(round, control));
  const usual = median(values);
  const kept = rounds.filter((_, i) => Math.abs((values[i] ?? 0) / usual - 1) <= allowedMove);
  return { rounds: kept, dropped: rounds.length - kept.length };
}

/** A subject against the control, paired: each ratio is of one round. */
export interface Comparison {
  /** Median of the subject's own figures, in their unit. */
  readonly absolute: number;
  /** Median of the paired ratios. */
  readonly ratio: number;
  readonly spread: readonly [least: number, greatest: number];
}

export function compare(rounds: readonly Round[], subject: string, control: string): Comparison {
  const ratios = rounds.map((round) => valueIn(round, subject) / valueIn(round, control));
  const [least, greatest] = range(ratios);
  return {
    absolute: significant(median(rounds.map((round) => valueIn(round, subject)))),
    ratio: significant(median(ratios), 3),
    spread: [significant(least, 3), significant(greatest, 3)],
  };
}

function valueIn(round: Round, subject: string): number {
  const value = round.get(subject);
  if (value === undefined) throw new RangeError(`${subject} did not take part in the round`);
  return value;
}
