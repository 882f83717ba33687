import { once } from 'node:events';
import { boundHeap } from '../loader/ffi/libc.ts';
import { createLogger } from './logger.ts';
import { notifySystemd } from './notify-systemd.ts';
import type { DaemonOptions } from './options.ts';
import { releaseMemory } from './release-memory.ts';
import { startDaemon } from './start.ts';
import { uninstall } from './uninstall.ts';

/**
 * Runs the daemon until it is told to stop, or removes every trace of one.
 *
 * @returns the exit status
 * @throws VetchError why it cannot start: INVALID, IN_USE, UNSUPPORTED, UNAVAILABLE
 */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  boundHeap();
  const log = createLogger(options.node);
  if (options.uninstall) {
    for (const line of await uninstall(options, log)) process.stdout.write(`${line}\n`);
    return 0;
  }
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort(signal));
  await using daemon = await startDaemon(options, log, stop.signal);
  notifySystemd('READY=1');
  log.info({ socket: options.socket, ...daemon.summary }, 'ready');
  releaseMemory();
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  notifySystemd('STOPPING=1');
  log.info({ signal: stop.signal.reason }, 'stopping; the datapath goes on');
  return 0;
}
