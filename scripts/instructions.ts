/**
 * Writes bpf/instructions.json: how large each program is on this kernel and, under QEMU, on those that are named. What
 * the file has of other kernels stays.
 *
 *   sudo node scripts/instructions.ts [KERNEL…]
 */
import { type CommittedSizes, readCommitted, writeCommitted } from '../test/kernel/instructions/committed.ts';
import { kernelSeries, measurePrograms } from '../test/kernel/instructions/measure.ts';
import type { Kernel } from '../test/kernels/kernel-package.ts';
import { kernels } from '../test/kernels/kernels.ts';
import { reportsOfKernel } from '../test/kernels/run.ts';

const wanted = process.argv.slice(2).map((name) => {
  const kernel = kernels.find((candidate) => candidate.name === name);
  if (kernel) return kernel;
  throw new Error(`no kernel ${name}; there are ${kernels.map((candidate) => candidate.name).join(', ')}`);
});

let sizes: CommittedSizes = { ...readCommitted(), [kernelSeries]: measurePrograms() };
for (const kernel of wanted) sizes = { ...sizes, ...(await measureOn(kernel)) };
const order = (series: string) => series.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
const sorted = Object.entries(sizes).sort(([a], [b]) => order(a) - order(b));
writeCommitted(Object.fromEntries(sorted));
process.stdout.write(
  `bpf/instructions.json has the programs of Linux ${sorted.map(([series]) => series).join(', ')}\n`,
);

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly meta?: { readonly instructions?: CommittedSizes } }[];
  }[];
}

/** As the test of the file has measured them in the guest, whatever it thinks of them. */
async function measureOn(kernel: Kernel): Promise<CommittedSizes> {
  const runs = ['kernel:test/kernel/instructions/instructions.test.ts'];
  const reports = await reportsOfKernel(kernel, { checkout: process.cwd(), runs });
  const { testResults = [] } = (reports.get('kernel') ?? {}) as Partial<Report>;
  for (const { assertionResults } of testResults) {
    for (const { meta } of assertionResults) if (meta?.instructions) return meta.instructions;
  }
  throw new Error(`Linux ${kernel.name} has not told how large its programs are`);
}
