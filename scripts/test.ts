/**
 * Runs the named steps, or all that are not extra, one after another (a guest beside the ones that follow it), goes on
 * after a failure, and sums up.
 * `kernel-` stands for every step whose name begins so.
 *
 *   node scripts/test.ts [STEP…]
 *
 * The last line is `N passed, N failed, N skipped`; .cache/results/summary holds it too. Exit status 1 when
 * anything failed, or when a step ran no test at all.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { add, type Count, failure, none } from './test/count.ts';
import { type Step, steps } from './test/steps.ts';

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

interface Ended {
  readonly name: string;
  readonly count: Count;
  readonly seconds: number;
}

async function measured(step: Step, log?: string): Promise<Ended> {
  const begun = performance.now();
  const count = await step
    .run(`${results}/${step.name}.json`, log)
    .catch((error: unknown) => failure(error instanceof Error ? error.message : String(error)));
  return { name: step.name, count, seconds: (performance.now() - begun) / 1000 };
}

const chosen = steps.filter(({ name, extra }) =>
  wanted.length === 0 ? !extra : wanted.some((one) => isWanted(name, one)),
);
const ended: Ended[] = [];
const beside: { readonly step: Step; readonly log: string; readonly end: Promise<Ended> }[] = [];
for (const step of chosen) {
  process.stdout.write(`\n== ${step.name}: ${step.what}\n`);
  if (step.beside && step !== chosen.at(-1)) {
    const log = `${results}/${step.name}.log`;
    beside.push({ step, log, end: measured(step, log) });
    process.stdout.write('runs beside what comes now, and is printed after that\n');
  } else {
    ended.push(await measured(step));
  }
}
for (const { step, log, end } of beside) {
  ended.push(await end);
  process.stdout.write(`\n== ${step.name}: ${step.what}\n${existsSync(log) ? readFileSync(log, 'utf8') : ''}`);
}

process.stdout.write('\n');
for (const { name, count, seconds } of ended) {
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  process.stdout.write(
    `${name.padEnd(12)} ${count.passed} passed, ${count.failed} failed${skipped} (${seconds.toFixed(0)} s)\n`,
  );
}
for (const { name, count } of ended) {
  for (const what of count.failures) process.stdout.write(`failed in ${name}: ${what}\n`);
}
const total = ended.reduce((sum, { count }) => add(sum, count), none);
const line = `${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`;
writeFileSync(`${results}/summary`, `${line}\n`);
process.stdout.write(`${line}\n`);
if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
