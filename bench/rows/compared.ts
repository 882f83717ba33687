import type { Background } from '../../test/lab/process.ts';
import { type InterleaveOptions, interleave } from '../measure/interleave.ts';
import { allowedMove, compare, type Kept } from '../measure/rounds.ts';
import { control } from '../peers/limits.ts';
import type { Figure, Goal } from '../row.ts';
import type { Stage } from '../stage.ts';
import type { Path, Tool } from '../tools/path.ts';

export interface ComparedOptions extends Partial<InterleaveOptions> {
  readonly name: string;
  /** Of the absolute figures; the row's own are ratios. */
  readonly unit: string;
  readonly goal: Goal;
  /** Ours is the one named `Vetch`; the control is among them. */
  readonly paths: readonly Path[];
  readonly tool: Tool;
  /** The name of what the ratios are to. Default: the bare veth pair. */
  readonly against?: string;
  readonly notes?: readonly string[];
}

/** Measures paths in turn, and gives ours as a ratio to a bare veth pair, with that of each of the others. */
export async function compared(stage: Stage, options: ComparedOptions): Promise<Figure> {
  const { name, unit, goal, paths, tool, against = control, notes = [] } = options;
  const vetch = await stage.vetch();
  const servers: Background[] = [];
  const before = await vetch.drops();
  let kept: Kept;
  try {
    for (const machine of new Set(paths.map(({ server }) => server))) servers.push(await tool.serve(machine));
    const subjects = await Promise.all(paths.map((path) => tool.subject(path)));
    kept = await interleave(subjects, { control, ...options });
  } finally {
    // The machines live on for the next row.
    await Promise.all(servers.map((server) => server.stop()));
  }
  const { rounds, dropped } = kept;
  const lost = difference(before, await vetch.drops());
  const ours = compare(rounds, 'Vetch', against);
  const others = paths.filter((path) => path.name !== 'Vetch');
  const comparisons = others.map((path) => [path.name, compare(rounds, path.name, against)] as const);
  const absolute = [['Vetch', ours] as const, ...comparisons].map(([who, { absolute }]) => `${who} ${absolute}`);
  return {
    name,
    unit: `× ${against}`,
    vetch: ours.ratio,
    spread: ours.spread,
    peers: Object.fromEntries(comparisons.map(([who, { ratio }]) => [who, ratio])),
    goal,
    note: [
      `medians in ${unit}: ${absolute.join(', ')}`,
      `${rounds.length} rounds, ${dropped} dropped because the control moved by more than ${allowedMove * 100}%`,
      ...(lost === '' ? [] : [`packets that Vetch dropped meanwhile: ${lost}`]),
      ...notes,
    ].join('; '),
  };
}

function difference(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): string {
  return Object.entries(after)
    .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');
}
