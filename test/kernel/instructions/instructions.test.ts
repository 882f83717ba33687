import { expect, test } from 'vitest';
import { compareSizes, readCommitted } from './committed.ts';
import { kernelSeries, measurePrograms } from './measure.ts';

test('no program has grown by a jump since bpf/instructions.json was written', ({ task, skip }) => {
  const measured = measurePrograms();
  // `make instructions` reads it from the report of a guest
  Object.assign(task.meta, { instructions: { [kernelSeries]: measured } });
  const committed = readCommitted();
  const ofSeries = committed[kernelSeries];
  const known = Object.keys(committed).join(', ');
  if (!ofSeries) return skip(`bpf/instructions.json is of Linux ${known}, and this is ${kernelSeries}`);
  console.info(`compared ${Object.keys(measured).length} programs with bpf/instructions.json of Linux ${kernelSeries}`);
  expect(compareSizes(kernelSeries, ofSeries, measured)).toEqual([]);
});
