/**
 * Measures the rows of docs/benchmarks.md that can be measured yet, and writes it, docs/benchmarks.json
 * and docs/charts.
 *
 *   sudo node bench/main.ts [ROW…]     default: all of them; rows that are not named keep their figures
 *   node bench/main.ts --charts        measures nothing, and draws docs/charts anew
 */
import { removeLeftovers } from '../test/lab/leftovers.ts';
import { goFirst } from './measure/priority.ts';
import { write, writeAgain } from './report/write.ts';
import { rows } from './rows/all.ts';
import { Stage } from './stage.ts';

if (process.argv[2] === '--charts') {
  writeAgain();
  process.exit();
}
const wanted = (process.argv.length > 2 ? process.argv.slice(2) : (process.env.ROW ?? '').split(/[ ,]+/))
  .filter((word) => word !== '')
  .map(Number);
const unknown = wanted.filter((number) => !rows.some((row) => row.number === number));
if (unknown.length > 0) {
  process.stderr.write(`no row ${unknown.join(', ')}; there are ${rows.map((row) => row.number).join(', ')}\n`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  process.stderr.write('the measurements need root: they make network namespaces\n');
  process.exit(1);
}

await removeLeftovers();
{
  using _first = goFirst();
  await using stage = new Stage();
  for (const row of rows.filter(({ number }) => wanted.length === 0 || wanted.includes(number))) {
    process.stdout.write(`row ${row.number}: ${row.name}\n`);
    const start = Date.now();
    try {
      const figures = await row.run(stage);
      for (const { name, unit, vetch, spread, goal, note } of figures) {
        process.stdout.write(
          `  ${name}: ${vetch} ${unit}${spread.length > 0 ? ` (${spread.join(' to ')})` : ''}, goal ${goal.text}\n    ${note}\n`,
        );
      }
      write(row.number, figures);
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(`  failed: ${error instanceof Error ? error.stack : error}\n`);
    }
    process.stdout.write(`  ${((Date.now() - start) / 1000).toFixed(0)} s\n`);
  }
}
