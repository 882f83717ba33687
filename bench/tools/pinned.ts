/** Where a latency's client and server both run: on two CPUs the scheduler's placement would be what is measured. */
export const latencyCpu = 1;

/** Where the two ends of a bulk transfer run. */
export const bulkCpus = { server: 0, client: 1 } as const;

/** The command, on one CPU. */
export function pinned(cpu: number, ...command: string[]): string[] {
  return ['taskset', '--cpu-list', String(cpu), ...command];
}
