import koffi from 'koffi';
import { KernelError } from '../kernel-error.ts';
import { declare } from './call.ts';

const syscallNumber = process.arch === 'arm64' ? 283 : 324;
/** MEMBARRIER_CMD_GLOBAL of linux/membarrier.h: the kernel waits for a grace period of RCU. */
const global = 1;

const syscall = declare.async<(number: number, command: number, flags: number, cpu: number) => number | bigint>(
  'long syscall(long number, int cmd, unsigned int flags, int cpu_id)',
);

/**
 * Resolves when every BPF program that was running at the call has ended, on every CPU. It takes some tens of
 * milliseconds, on a thread of koffi's.
 *
 * @throws {KernelError} where the kernel has no such barrier (a kernel with nohz_full CPUs)
 */
export async function gracePeriod(): Promise<void> {
  const result = await syscall(syscallNumber, global, 0, 0);
  if (result < 0) throw new KernelError(koffi.errno(), 'wait for', 'a grace period');
}
