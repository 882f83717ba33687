import type { Kernel } from './kernel-package.ts';

/** The kernels that every change is tested on, beside the machine's own: Debian 12's, and its newer one. */
export const kernels: readonly Kernel[] = [
  { name: '6.1', package: 'linux-image-cloud-amd64' },
  // TCX, newer verifier: between Debian 12's and the machine's own; `make test-kernels` alone runs it
  { name: '6.12', package: 'linux-image-6.12-cloud-amd64', extra: true },
];

/** What runs on each: `project` of vitest.config.ts, with files where not all of it. */
export const runs: readonly string[] = [
  'kernel',
  'lab:test/lab/lab.test.ts,test/lab/small.test.ts,test/lab/shaping.test.ts,test/lab/vlan.test.ts,test/lab/ipvlan.test.ts',
];

/** What takes long where all is emulated; `make test-kernels` alone runs it. */
export const longRuns: readonly string[] = ['lab:test/lab/encrypted.test.ts'];
