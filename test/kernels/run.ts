import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { add, type Count, countReport, failure, none } from '../../scripts/test/count.ts';
import { boot } from './boot.ts';
import { writeInitramfs } from './initramfs.ts';
import { fetchKernel, type Kernel } from './kernel-package.ts';

export interface KernelRunOptions {
  readonly checkout: string;
  /** As in `vetch.run` of init.sh: a project, and after a colon its files, apart by commas. */
  readonly runs: readonly string[];
  /** Default: 3600: emulation on a busy machine is slow; with a `log`, where it yields to all else, 4500. */
  readonly timeoutSeconds?: number;
  /** As in {@link boot}. */
  readonly log?: string;
}

/** Runs tests on another kernel. A project whose report does not arrive whole counts as one failure. */
export async function runOnKernel(kernel: Kernel, options: KernelRunOptions): Promise<Count> {
  const reports = await reportsOfKernel(kernel, options);
  return options.runs.map((run) => countOf(reports, projectOf(run))).reduce(add, none);
}

/** Likewise; gives the reports of vitest, by project: those that have arrived whole. */
export async function reportsOfKernel(
  kernel: Kernel,
  options: KernelRunOptions,
): Promise<ReadonlyMap<string, unknown>> {
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
      timeoutSeconds: options.timeoutSeconds ?? (options.log === undefined ? 3600 : 4500),
      ...(options.log === undefined ? {} : { log: options.log }),
    });
    return new Map(options.runs.map(projectOf).flatMap((project) => wholeReport(text, project)));
  } finally {
    rmSync(initramfs, { force: true });
  }
}

function projectOf(run: string): string {
  return run.split(':')[0] ?? run;
}

function wholeReport(text: string, project: string): [project: string, report: unknown][] {
  const mark = `report ${project} `;
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${mark}{`));
  try {
    return [[project, JSON.parse(line?.slice(mark.length) ?? '')]];
  } catch {
    return [];
  }
}

function countOf(reports: ReadonlyMap<string, unknown>, project: string): Count {
  const report = reports.get(project);
  if (report !== undefined) return countReport(report as Parameters<typeof countReport>[0]);
  return failure(`no whole report of ${project} arrived from the guest`);
}
