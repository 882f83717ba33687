import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { cells } from './cells.ts';
import { judge } from './judge.ts';
import { Scene } from './scene.ts';
import { policySets } from './sets/all.ts';

/** `all`, or every tenth, which is what fits beside the other tests. */
const chosen = process.env.VETCH_POLICY_SETS === 'all' ? policySets : policySets.filter((_, at) => at % 10 === 0);

let scene: Scene;
const passed = { sets: 0, steps: 0, cells: 0, milliseconds: 0 };

beforeAll(async () => {
  scene = await Scene.create();
});
afterEach(() => scene?.reset());
afterAll(async () => {
  await scene?.[Symbol.asyncDispose]();
  const { sets, steps, milliseconds } = passed;
  process.stdout.write(
    `policy sets: ${sets} of ${chosen.length} passed (${policySets.length} in all), ${passed.cells} cells in ` +
      `${steps} steps, ${(milliseconds / Math.max(1, steps) / 1000).toFixed(2)} s a matrix\n`,
  );
});

/** Judges the whole matrix. */
async function verify(where: string): Promise<void> {
  const begun = performance.now();
  const mismatches = await judge(scene);
  passed.milliseconds += performance.now() - begun;
  passed.steps += 1;
  passed.cells += cells.length - mismatches.length;
  expect(mismatches.slice(0, 40), `${where}: ${mismatches.length} of ${cells.length} cells`).toEqual([]);
}

test('without a policy everybody answers on a network, and nobody across', () => verify('no policy'));

test.for(chosen)('$name', async (set) => {
  for (const [at, step] of set.steps.entries()) {
    await scene.perform(step);
    await verify(`step ${at + 1} of ${set.steps.length} of '${set.name}'`);
  }
  passed.sets += 1;
});
