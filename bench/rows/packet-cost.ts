import { run } from '../../test/lab/process.ts';
import { median, range, significant } from '../measure/statistics.ts';
import { atMost, type Figure, type Goal, noGoal, type Row } from '../row.ts';
import { latencyCpu, pinned } from '../tools/pinned.ts';

const programOf = (name: string) => new URL(`../programs/${name}.ts`, import.meta.url).pathname;

interface Timed {
  /** As the program says it. */
  readonly key: string;
  readonly name: string;
  readonly goal: Goal;
  /** What is measured beside it: one operation on a map of the same shape, which no program can do without. */
  readonly alone: readonly [key: string, name: string];
}

const figures: readonly Timed[] = [
  ...[1000, 64_000].map(
    (flows): Timed => ({
      key: `established, ${flows} flows`,
      name: `established flow, ${flows.toLocaleString('en')} flows`,
      goal: atMost(flows === 1000 ? 75 : 130),
      alone: [`lookup alone, ${flows} flows`, '40-byte lookup alone'],
    }),
  ),
  { key: 'new flow', name: 'new flow, conntrack full', goal: atMost(500), alone: ['insert alone', 'LRU insert alone'] },
  {
    key: 'new masqueraded flow',
    name: 'new masqueraded flow, conntrack full',
    goal: atMost(900),
    alone: ['insert alone, masqueraded', 'LRU insert alone'],
  },
  {
    key: 'XDP deny, source not listed',
    name: 'XDP deny with 100,000 prefixes, source not listed',
    goal: atMost(120),
    alone: ['prefix alone', 'LPM lookup alone, in a copy'],
  },
];

export const packetCost: Row = {
  number: 8,
  name: 'ns a packet, keys varied',
  run: async () => [...(await timed()), ...(await grown())],
};

/** @param limit seconds */
async function measured<T>(name: string, limit: number): Promise<T> {
  const program = programOf(name);
  const { stdout, stderr, status } = await run(pinned(latencyCpu, process.execPath, program), {
    timeoutSeconds: limit,
  });
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

async function timed(): Promise<Figure[]> {
  const results = await measured<Record<string, number[]>>('packet-cost', 170);
  return figures.map(({ key, name, goal, alone: [aloneKey, aloneName] }) =>
    figure(name, goal, '500,000', results[key] ?? [], aloneName, results[aloneKey] ?? []),
  );
}

interface Grown {
  readonly path: string;
  /** Of what the path's name ends with. */
  readonly count: number;
  readonly whole: readonly number[];
  readonly alone: readonly number[];
}

/** Every path, with 1, 1,000 and 64,000 of what it looks among. */
async function grown(): Promise<Figure[]> {
  const results = await measured<Grown[]>('path-cost', 600);
  return results.map(({ path, count, whole, alone }) => {
    const [name, what] = path.split('; ');
    return figure(
      `${name}: ${count.toLocaleString('en')} ${what}`,
      noGoal,
      '200,000',
      whole,
      'one operation on a map alone',
      alone,
    );
  });
}

function figure(
  name: string,
  goal: Goal,
  packets: string,
  values: readonly number[],
  beside: string,
  alone: readonly number[],
): Figure {
  return {
    name,
    unit: 'ns a packet',
    vetch: significant(median(values), 3),
    spread: range(values).map((value) => significant(value, 3)),
    peers: { [beside]: significant(median(alone), 3) },
    goal,
    note: `${values.length} runs of ${packets} packets through BPF_PROG_TEST_RUN, IPv4 TCP; median, least and greatest; flow events off`,
  };
}
