import type { CounterTotals, DropTotal } from '../counts.ts';

/** What grows, at one moment. */
export interface Moment {
  readonly drops: readonly DropTotal[];
  readonly counters: CounterTotals;
  readonly collectorFailures: number;
}

const every = 60_000;
const keep = 10;

/** Remembers what was counted in the last ten minutes, so that `status` warns of what happens and not of what happened. */
export class WarningWindow implements Disposable {
  readonly #moments: Moment[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param look reads the counters; called at once and then every minute. */
  constructor(look: () => Moment) {
    this.#moments.push(look());
    this.#timer = setInterval(() => {
      this.#moments.push(look());
      if (this.#moments.length > keep) this.#moments.shift();
    }, every);
    this.#timer.unref();
  }

  /** The oldest moment that is remembered. */
  get earlier(): Moment {
    return this.#moments[0] as Moment;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
