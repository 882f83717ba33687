import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';

export interface BootOptions {
  readonly image: string;
  readonly initramfs: string;
  /** Words added to the kernel's command line. */
  readonly arguments: readonly string[];
  /** Holds what the guest writes to its second serial line. */
  readonly report: string;
  readonly timeoutSeconds: number;
  /** Takes the guest's console, and has the guest yield to whatever else runs. Default: our standard output. */
  readonly log?: string;
  /** Default: 2048. */
  readonly memoryMegabytes?: number;
  /** Has one CPU, and a clock that goes on by a nanosecond with each instruction. Default: two, and the machine's. */
  readonly countInstructions?: boolean;
}

/**
 * Boots a kernel under QEMU's software emulation, without any network device, and waits until the guest powers off.
 * Gives what it wrote to its second serial line.
 *
 * @throws Error after `timeoutSeconds`, with the guest killed.
 */
export async function boot(options: BootOptions): Promise<string> {
  rmSync(options.report, { force: true });
  // On a busy machine an emulated timer may be late enough to be taken for a broken one.
  const kernelWords = ['console=ttyS0', 'quiet', 'panic=-1', 'oops=panic', 'mitigations=off', 'no_timer_check'];
  const line = [...kernelWords, ...options.arguments].join(' ');
  const args = [
    ...(options.countInstructions
      ? ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off', '-smp', '1']
      : ['-accel', 'tcg,thread=multi', '-smp', '2']),
    ...['-cpu', 'max', '-m', String(options.memoryMegabytes ?? 2048)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-nic', 'none'],
    ...['-serial', 'stdio', '-serial', `file:${options.report}`],
    ...['-kernel', options.image, '-initrd', options.initramfs, '-append', line],
  ];
  const log = options.log === undefined ? undefined : openSync(options.log, 'w');
  const emulator = ['qemu-system-x86_64', ...args];
  // As SCHED_IDLE it is in nobody's way: what wakes up takes its CPU at once.
  const [program = '', ...words] = log === undefined ? emulator : ['chrt', '--idle', '0', ...emulator];
  const guest = spawn(program, words, { stdio: ['ignore', log ?? 'inherit', log ?? 'inherit'] });
  if (log !== undefined) closeSync(log);
  const kill = () => guest.kill('SIGKILL');
  process.once('exit', kill);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, options.timeoutSeconds * 1000);
  try {
    await new Promise<void>((resolve, reject) => {
      guest.once('error', reject);
      guest.once('exit', () => resolve());
    });
  } finally {
    clearTimeout(timer);
    process.removeListener('exit', kill);
  }
  const report = readFileSync(options.report, 'utf8');
  if (late) throw new Error(`the guest did not end within ${options.timeoutSeconds} s`);
  return report;
}
