import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cell, cellText } from './cells.ts';
import { type Outcome, tryAll } from './judge.ts';
import { host, parties } from './layout.ts';
import type { PolicyDocument } from './model/documents.ts';
import { Scene } from './scene.ts';
import { policySets } from './sets/all.ts';
import { keyOf } from './steps.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.create();
});
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
});

/** Numbers from 0 to below 1, always the same ones (Park and Miller's generator). */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (state * 48_271) % 2_147_483_647;
    yield state / 2_147_483_647;
  }
}
const random = numbers(4);

function some<Item>(items: readonly Item[], count: number): Item[] {
  const left = [...items];
  return Array.from({ length: Math.min(count, left.length) }, () =>
    left.splice(Math.floor(random.next().value * left.length), 1),
  ).flat();
}

const everyDocument = policySets.flatMap(({ steps }) => steps.flatMap(({ apply }) => apply ?? []));
/** Of documents of one name, the last. */
const unique = (documents: readonly PolicyDocument[]) => [
  ...new Map(documents.map((one) => [keyOf(one), one])).values(),
];

/** What three ways of asking say about a cell; an endpoint that speaks to itself leaves no namespace. */
const isAskable = ({ cell }: Outcome) => cell.from !== cell.to;

async function verdicts({ cell, who }: Outcome): Promise<string> {
  const { from, to, family, protocol, port, sentTo, address } = cell;
  const ref = (name: string) => parties.find((party) => party.name === name)?.addresses[family] ?? name;
  const at = (number: number) => (protocol === 'icmp' ? 'icmp' : `${number}/${protocol}`);
  const source = from === host.name ? 'host' : ref(from);
  const { verdict } = await scene.api.explain(source, ref(to), at(port));
  const traced = await scene.api.trace(source, address, at(sentTo));
  const real = who === undefined ? 'deny' : 'allow';
  const policy = isCrossing(cell) ? real : verdict;
  return `${real} explain=${policy} trace=${traced.verdict === 'DROPPED' ? 'deny' : 'allow'}`;
}

/** Between networks, where policy is not asked. */
function isCrossing({ from, to }: Cell): boolean {
  return from.startsWith('o-') || to.startsWith('o-');
}

test('explain, trace and real connections agree on 1,000 random pairs', async () => {
  const wrong: string[] = [];
  let denied = 0;
  for (let round = 0; round < 10; round++) {
    await scene.perform({ apply: unique(some(everyDocument, 6)) });
    for (const outcome of some((await tryAll(scene)).filter(isAskable), 100)) {
      const said = await verdicts(outcome);
      if (said.startsWith('deny')) denied += 1;
      if (!/^(\w+) explain=\1 trace=\1$/.test(said)) wrong.push(`${cellText(outcome.cell)}: ${said}`);
    }
    await scene.reset();
  }
  expect(wrong).toEqual([]);
  // Random documents that deny next to nothing would prove nothing
  expect(denied).toBeGreaterThan(150);
  expect(denied).toBeLessThan(850);
}, 300_000);
