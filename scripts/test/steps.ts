import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { engineReleases } from '../../test/engines/engines.ts';
import { fetchRoot } from '../../test/engines/fetch-root.ts';
import { engineVersion } from '../../test/engines/version.ts';
import { kernels, longRuns, runs } from '../../test/kernels/kernels.ts';
import { runOnKernel } from '../../test/kernels/run.ts';
import { add, type Count, failure, none, readReport } from './count.ts';
import { type RunOptions, run } from './run.ts';
import { nodeOf } from './runtimes.ts';

/** One part of the whole test run. */
export interface Step {
  readonly name: string;
  readonly what: string;
  /** Runs only when it is named. */
  readonly extra?: boolean;
  /** Runs beside those that come after it. */
  readonly beside?: boolean;
  /** `report` is where a JSON report of it may lie; a step that runs beside others prints to `log` alone. */
  readonly run: (report: string, log?: string) => Promise<Count>;
}

/** A command that passes or fails as a whole counts as one test. */
function check(name: string, what: string, program: string, ...args: string[]): Step {
  return {
    name,
    what,
    run: async () => ((await run(program, args)) === 0 ? { ...none, passed: 1 } : failure(what)),
  };
}

const vitest = 'node_modules/vitest/vitest.mjs';

async function runVitest(node: string, args: readonly string[], report: string, options?: RunOptions): Promise<Count> {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  // Each test has a limit of its own.
  const status = await run(node, [vitest, 'run', ...args, ...reporters], { timeoutSeconds: 3600, ...options });
  if (!existsSync(report)) return failure('there is no report');
  const count = readReport(report);
  return status !== 0 && count.failed === 0 ? add(count, failure(`the run ended with ${status}`)) : count;
}

function project(name: string, what: string, ...args: string[]): Step {
  return { name, what, run: (report) => runVitest(process.execPath, args, report) };
}

/** Every tenth policy set; VETCH_POLICY_SETS=all, which is `make test-policy`, takes longer. */
const policy: Step = {
  name: 'policy',
  what: 'policy sets against a model, cell by cell',
  run: (report) => runVitest(process.execPath, ['--project', 'policy'], report),
};

/** All scenarios on one engine: the machine's own, or that of a folder. */
async function runScenarios(report: string, root?: string): Promise<Count> {
  const env = root === undefined ? {} : { VETCH_E2E_ENGINE_ROOT: root };
  const count = await runVitest(process.execPath, ['--project', 'docker'], report, { env });
  const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
  process.stdout.write(
    `Docker ${engineVersion(root)}: ${count.passed} scenarios passed, ${count.failed} failed${skipped}\n`,
  );
  return count;
}

/** The units, and what rests on the FFI and on the HTTP server, under another Node. */
function runtime(major: number): Step {
  return {
    name: `node-${major}`,
    what: `units, API and loader under Node ${major}`,
    run: async (report) => {
      const node = await nodeOf(major);
      const env = { PATH: `${node.slice(0, node.lastIndexOf('/'))}:${process.env.PATH ?? ''}` };
      const units = await runVitest(node, ['--project', 'unit'], report, { env });
      const loaderReport = report.replace(/\.json$/, '-loader.json');
      const loader = await runVitest(node, ['--project', 'kernel', 'test/kernel/loader'], loaderReport, { env });
      return add(units, loader);
    },
  };
}

export const steps: readonly Step[] = [
  check('lint', 'format and lint', 'npx', 'biome', 'ci', '--error-on-warnings', '--diagnostic-level=warn', '.'),
  check('types', 'TypeScript', 'npx', 'tsc', '-p', 'tsconfig.json'),
  check('layers', 'imports point one way', process.execPath, 'scripts/check-layers.ts'),
  check('generated', 'what is written from the ABI is up to date', 'make', 'check-generated'),
  check('bpf', 'a rebuild gives the committed objects', 'scripts/check-bpf.sh'),
  project('units', 'what needs no root', '--project', 'unit'),
  project('cluster', "a cluster's store on members of etcd, and simulated hosts", '--project', 'cluster'),
  runtime(22),
  runtime(26),
  ...kernels.map((kernel) => ({
    extra: kernel.extra ?? false,
    beside: !kernel.extra,
    name: `kernel-${kernel.name}`,
    what: `kernel tests and a small lab on Linux ${kernel.name}, under QEMU`,
    run: (_: string, log?: string) =>
      runOnKernel(kernel, { checkout: process.cwd(), runs, ...(log === undefined ? {} : { log }) }),
  })),
  project('kernel', "against this machine's kernel", '--project', 'kernel'),
  project('lab', 'hosts in namespaces, each with a daemon', '--project', 'lab'),
  policy,
  {
    name: 'docker',
    what: "scenarios on a real engine of Docker's",
    run: (report) => runScenarios(report),
  },
  ...engineReleases.map((release) => ({
    extra: true,
    name: `engine-${release.name}`,
    what: `scenarios on Docker ${release.name}`,
    run: async (report: string) => runScenarios(report, fetchRoot(release, resolve('.cache/engines'))),
  })),
  ...kernels.map((kernel) => ({
    extra: true,
    name: `kernel-${kernel.name}-encrypted`,
    what: `hosts that encrypt on Linux ${kernel.name}, under QEMU`,
    run: () => runOnKernel(kernel, { checkout: process.cwd(), runs: longRuns }),
  })),
];
