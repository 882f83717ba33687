import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { add, type Count, countReport, none } from '../../scripts/test/count.ts';
import { boot } from './boot.ts';
import { writeInitramfs } from './initramfs.ts';
import { fetchKernel, type Kernel } from './kernel-package.ts';

export interface KernelRunOptions {
  readonly checkout: string;
  /** As in `vetch.run` of init.sh: a project, and after a colon its files, apart by commas. */
  readonly runs: readonly string[];
  /** Default: 1800: emulation on a busy machine is slow. */
  readonly timeoutSeconds?: number;
}

/** Runs tests on another kernel. A project whose report does not arrive whole counts as one failure. */
export async function runOnKernel(kernel: Kernel, options: KernelRunOptions): Promise<Count> {
  const cache = join(options.checkout, '.cache/kernels');
  mkdirSync(cache, { recursive: true });
  const files = fetchKernel(kernel, cache);
  const initramfs = join(cache, `${kernel.name}.initramfs`);
  const report = join(cache, `${kernel.name}.report`);
  try {
    writeInitramfs(initramfs, files, options.checkout);
    const text = await boot({
      image: files.image,
      initramfs,
      report,
      arguments: [`vetch.run=${options.runs.join('+')}`],
      timeoutSeconds: options.timeoutSeconds ?? 1800,
    });
    return options.runs.map((run) => countOf(text, run.split(':')[0] ?? run)).reduce(add, none);
  } finally {
    rmSync(initramfs, { force: true });
  }
}

function countOf(text: string, project: string): Count {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`report ${project} {`));
  try {
    return countReport(JSON.parse(line?.slice(`report ${project} `.length) ?? ''));
  } catch {
    process.stderr.write(`no whole report of ${project} arrived from the guest\n`);
    return { ...none, failed: 1 };
  }
}
