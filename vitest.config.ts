import { defineConfig } from 'vitest/config';

/** Other kernels run under emulation: there every limit is multiplied. A limit is for what hangs, not for what is slow. */
const slowness = Number(process.env.VETCH_TEST_SLOWNESS ?? 1);

/** Tests that change the kernel's state take turns, in processes: namespaces belong to threads. */
const inTurn = { pool: 'forks', fileParallelism: false, maxWorkers: 1 } as const;

export default defineConfig({
  test: {
    passWithNoTests: false,
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'scripts/**/*.test.ts',
            'bench/**/*.test.ts',
            'test/compliance/{store,cluster}-embedded.test.ts',
            'test/kernel/packet/*.test.ts',
            'test/kernel/instructions/committed.test.ts',
            'test/policy/{model,sets}/*.test.ts',
            'test/policy/{compiled,judge}.test.ts',
          ],
          testTimeout: 30_000 * slowness,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/compliance/cluster-*.test.ts', 'test/sim/*.test.ts'],
          exclude: ['test/compliance/cluster-embedded.test.ts'],
          testTimeout: 60_000 * slowness,
          hookTimeout: 60_000 * slowness,
          ...inTurn,
        },
      },
      {
        test: {
          name: 'kernel',
          include: ['test/{kernel,netlink,observe}/**/*.test.ts', 'test/compliance/**/*.test.ts'],
          exclude: [
            'test/compliance/{store,cluster}-*.test.ts',
            'test/kernel/packet/*.test.ts',
            'test/kernel/instructions/committed.test.ts',
          ],
          testTimeout: 30_000 * slowness,
          hookTimeout: 120_000 * slowness,
          ...inTurn,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/{lab,reconcile}/**/*.test.ts'],
          testTimeout: 120_000 * slowness,
          hookTimeout: 120_000 * slowness,
          ...inTurn,
        },
      },
      {
        test: {
          name: 'policy',
          include: ['test/policy/*.test.ts'],
          exclude: ['test/policy/{compiled,judge}.test.ts'],
          testTimeout: 120_000 * slowness,
          hookTimeout: 120_000 * slowness,
          ...inTurn,
        },
      },
      {
        test: {
          name: 'docker',
          include: ['test/e2e/docker/**/*.test.ts'],
          testTimeout: 120_000 * slowness,
          hookTimeout: 120_000 * slowness,
          ...inTurn,
        },
      },
    ],
  },
});
