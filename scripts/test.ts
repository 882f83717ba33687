/**
 * Runs the named steps, or all that are not extra, one after another, goes on after a failure, and sums up.
 * `kernel-` stands for every step whose name begins so.
 *
 *   node scripts/test.ts [STEP…]
 *
 * The last line is `N passed, N failed, N skipped`; .cache/results/summary holds it too. Exit status 1 when
 * anything failed, or when a step ran no test at all.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { add, type Count, none } from './test/count.ts';
import { steps } from './test/steps.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const results = `${root}.cache/results`;

const wanted = process.argv.slice(2);
const isWanted = (step: string, name: string) => step === name || (name.endsWith('-') && step.startsWith(name));
const unknown = wanted.filter((name) => !steps.some((step) => isWanted(step.name, name)));
if (unknown.length > 0) {
  process.stderr.write(`no such step: ${unknown.join(', ')}; there are ${steps.map((step) => step.name).join(', ')}\n`);
  process.exit(2);
}

process.chdir(root);
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });

const counts: [name: string, count: Count, seconds: number][] = [];
const chosen = steps.filter(({ name, extra }) =>
  wanted.length === 0 ? !extra : wanted.some((one) => isWanted(name, one)),
);
for (const step of chosen) {
  process.stdout.write(`\n== ${step.name}: ${step.what}\n`);
  const begun = performance.now();
  const count = await step.run(`${results}/${step.name}.json`).catch((error: unknown) => {
    process.stderr.write(`${step.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return { ...none, failed: 1 };
  });
  counts.push([step.name, count, (performance.now() - begun) / 1000]);
}

process.stdout.write('\n');
for (const [name, count, seconds] of counts) {
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  process.stdout.write(
    `${name.padEnd(12)} ${count.passed} passed, ${count.failed} failed${skipped} (${seconds.toFixed(0)} s)\n`,
  );
}
const total = counts.reduce((sum, [, count]) => add(sum, count), none);
const line = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
writeFileSync(`${results}/summary`, `${line}\n`);
process.stdout.write(`${line}\n`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
