import { setTimeout } from 'node:timers/promises';
import { type Kept, keepSteady, type Round } from './rounds.ts';
import { shuffled } from './statistics.ts';

/** Something that is measured again and again, in turn with others. */
export interface Subject {
  readonly name: string;
  measure(): Promise<number>;
}

export interface InterleaveOptions {
  /** The name of the subject that everybody is compared with. */
  readonly control: string;
  /** Steady rounds that are wanted. Default: 9. */
  readonly rounds?: number;
  /** Rounds after which it is over, if three of them were steady. Default: half as many again. */
  readonly atMost?: number;
  /**
   * Milliseconds from the start of one measurement to the start of the next, for tools that sleep before they work.
   * Default: one starts when the one before has ended.
   */
  readonly pitch?: number;
}

/** All subjects in each round, in random order, until enough rounds were steady. */
export async function interleave(subjects: readonly Subject[], options: InterleaveOptions): Promise<Kept> {
  const { control, rounds: wanted = 9, pitch } = options;
  const atMost = options.atMost ?? Math.ceil(wanted * 1.5);
  const rounds: Round[] = [];
  let kept: Kept = { rounds: [], dropped: 0 };
  while (kept.rounds.length < wanted && rounds.length < atMost) {
    const missing = Math.min(wanted - kept.rounds.length, atMost - rounds.length);
    rounds.push(...(await play(subjects, missing, pitch)));
    kept = keepSteady(rounds, control);
  }
  if (kept.rounds.length < 3) {
    throw new Error(`only ${kept.rounds.length} of ${rounds.length} rounds were steady: the machine is too busy`);
  }
  return kept;
}

async function play(subjects: readonly Subject[], count: number, pitch: number | undefined): Promise<Round[]> {
  const rounds: Promise<readonly [string, number]>[][] = [];
  for (let i = 0; i < count; i++) {
    const round: Promise<readonly [string, number]>[] = [];
    rounds.push(round);
    for (const subject of shuffled(subjects)) {
      const value = subject.measure().then((value) => [subject.name, value] as const);
      // Its failure is told below, when its turn to be waited for comes.
      value.catch(() => {});
      round.push(value);
      await (pitch === undefined ? value : setTimeout(pitch));
    }
  }
  return Promise.all(rounds.map(async (round) => new Map(await Promise.all(round))));
}
