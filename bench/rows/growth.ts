import type { Background } from '../../test/lab/process.ts';
import { type InterleaveOptions, interleave } from '../measure/interleave.ts';
import type { Round } from '../measure/rounds.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { type Figure, noGoal } from '../row.ts';
import type { Path, Tool } from '../tools/path.ts';

/** What is measured with so many of something, ours and a peer's. */
export interface Step {
  readonly count: number;
  readonly ours: Path;
  readonly peer: Path;
}

export interface Growth extends Partial<InterleaveOptions> {
  readonly steps: readonly Step[];
  readonly tool: Tool;
}

/** All steps of both, in turn. Their names tell them apart. */
export async function grow({ steps, tool, ...options }: Growth) {
  const paths = steps.flatMap(({ ours, peer }) => [ours, peer]);
  const servers: Background[] = [];
  try {
    for (const machine of new Set(paths.map(({ server }) => server))) servers.push(await tool.serve(machine));
    const subjects = await Promise.all(paths.map((path) => tool.subject(path)));
    return await interleave(subjects, { control: paths[0]?.name ?? '', ...options });
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

/** Absolute figures of one run, for they are drawn side by side. */
export function grown(
  rounds: readonly Round[],
  { count, ours, peer }: Step,
  named: {
    readonly name: string;
    readonly what: string;
    readonly unit: string;
    readonly peer: string;
    readonly note: string;
  },
): Figure {
  const of = (path: Path) => rounds.flatMap((round) => round.get(path.name) ?? []);
  return {
    name: `${named.name}: ${count.toLocaleString('en')} ${named.what}`,
    unit: named.unit,
    vetch: significant(median(of(ours))),
    spread: range(of(ours)).map((value) => significant(value)),
    peers: { [named.peer]: significant(median(of(peer))) },
    goal: noGoal,
    note: named.note,
  };
}
