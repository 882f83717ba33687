import type { ConntrackFilter } from '../../api/schemas/conntrack.ts';
import type { RefNames } from '../peers.ts';

/** What one walk over the map found and did. */
export interface Collected {
  /** Entries that stay. */
  readonly live: number;
  readonly deleted: number;
}

/** The kernel's side: a program that walks the map and judges each entry where it lies. */
export interface CollectProgram {
  /** Deletes what has expired, and counts anew what each endpoint uses of its quotas. */
  expire(): Promise<Collected>;
  /** Deletes what matches. @throws {VetchError} what `names` throws */
  flush(filter: ConntrackFilter, names: RefNames): Promise<number>;
}

/** What the collector has done since it began. */
export interface CollectorNumbers {
  readonly runs: number;
  readonly deleted: number;
  readonly failures: number;
  /** How long the last run took. */
  readonly seconds: number;
}

export interface CollectorOptions {
  readonly program: CollectProgram;
  /** Milliseconds between the ends and the starts of runs; default 15,000. */
  readonly interval?: number;
  /** Told of a run that failed; the next one is tried all the same. */
  readonly onError: (error: unknown) => void;
}

/**
 * Frees the room of flows that have ended. The datapath judges expiry at every look-up, so nothing depends on when this
 * runs but the room in the map and the precision of the quotas.
 */
export class Collector implements AsyncDisposable {
  readonly #options: CollectorOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #entries: number | undefined;
  #numbers: CollectorNumbers = { runs: 0, deleted: 0, failures: 0, seconds: 0 };

  /** Begins to run, at once and then at intervals, until it is closed. The program stays the caller's. */
  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#schedule(0);
  }

  get numbers(): CollectorNumbers {
    return this.#numbers;
  }

  /** Entries of `conntrack` that the last run left; undefined before the first. */
  get entries(): number | undefined {
    return this.#entries;
  }

  /**
   * Ends the flows that match, both halves of those that are translated.
   *
   * @throws {VetchError} INVALID, NOT_FOUND
   */
  async flush(filter: ConntrackFilter, names: RefNames): Promise<{ flushed: number }> {
    return { flushed: await this.#options.program.flush(filter, names) };
  }

  /** Ends with the run under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #schedule(delay: number): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, delay);
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    const { program, interval = 15_000, onError } = this.#options;
    const started = performance.now();
    const { runs, deleted, failures, seconds } = this.#numbers;
    try {
      const collected = await program.expire();
      this.#entries = collected.live;
      this.#numbers = {
        runs: runs + 1,
        deleted: deleted + collected.deleted,
        failures,
        seconds: (performance.now() - started) / 1000,
      };
    } catch (error) {
      this.#numbers = { runs: runs + 1, deleted, failures: failures + 1, seconds };
      onError(error);
    }
    this.#schedule(interval);
  }
}
