import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What the daemon uses itself. */
export interface ProcessNumbers {
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly startTimeSeconds: number;
  readonly openFds: number;
  /** How late the event loop ran since the last look, seconds. */
  readonly eventLoopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** Watches the event loop from now on; `read` begins a new period. */
export class ProcessMeter implements Disposable {
  /** Its timer fires every 10 ms and measures how late it is. */
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });

  constructor() {
    this.#delay.enable();
  }

  read(): ProcessNumbers {
    const usage = process.cpuUsage();
    // Before the first tick a histogram has no percentiles.
    const seconds = (ns: number) => (this.#delay.count === 0 ? 0 : Math.max(0, ns / 1e9 - 0.01));
    const eventLoopDelay = {
      p50: seconds(this.#delay.percentile(50)),
      p99: seconds(this.#delay.percentile(99)),
      max: seconds(this.#delay.max),
    };
    this.#delay.reset();
    return {
      residentBytes: process.memoryUsage.rss(),
      cpuSeconds: (usage.user + usage.system) / 1e6,
      startTimeSeconds: Math.round(performance.timeOrigin / 1000),
      // One of them is the directory that is being read.
      openFds: readdirSync('/proc/self/fd').length - 1,
      eventLoopDelay,
    };
  }

  [Symbol.dispose](): void {
    this.#delay.disable();
  }
}
