/** Where the two clocks are read: nanoseconds of CLOCK_MONOTONIC (ktime) and milliseconds since 1970. */
export interface ClockSource {
  monotonic(): bigint;
  realtime(): number;
}

const system: ClockSource = { monotonic: () => process.hrtime.bigint(), realtime: () => Date.now() };

/** How long a tick of the millisecond clock is waited for, ns. */
const measureFor = 3_000_000n;

/** The clocks are compared again after this much of ktime, ns. */
const recheckAfter = 5_000_000_000n;

/**
 * Turns the datapath's times (`bpf_ktime_get_ns`, CLOCK_MONOTONIC) into dates and back.
 *
 * NTP slews both clocks alike, so their distance changes only when the wall clock is set or the machine
 * sleeps: `recheck` notices a change of more than a millisecond and measures anew. Until then one event
 * keeps one date. The distance is found at a tick of the millisecond clock, to some microseconds.
 */
export class KtimeClock {
  readonly #source: ClockSource;
  #offset: bigint;
  #checked: bigint;
  #second = -1;
  #prefix = '';

  constructor(source: ClockSource = system) {
    this.#source = source;
    this.#offset = measure(source);
    this.#checked = source.monotonic();
  }

  /** Nanoseconds to add to ktime to get nanoseconds since 1970. */
  get offset(): bigint {
    return this.#offset;
  }

  /** ktime now, ns. */
  now(): bigint {
    return this.#source.monotonic();
  }

  /** Compares the clocks, at most every five seconds. Call it before a batch of conversions. */
  recheck(): void {
    const monotonic = this.#source.monotonic();
    if (monotonic - this.#checked < recheckAfter) return;
    this.#checked = monotonic;
    const error = BigInt(this.#source.realtime()) * 1_000_000n - monotonic - this.#offset;
    // The millisecond clock lags by up to one tick.
    if (error > 1_000_000n || error < -2_000_000n) this.#offset = measure(this.#source);
  }

  /** RFC 3339 UTC with microseconds. `high` and `low` are the halves of ktime, unsigned 32-bit. */
  format(high: number, low: number): string {
    const time = ((BigInt(high) << 32n) | BigInt(low)) + this.#offset;
    const micros = Number(time / 1000n);
    const second = Math.floor(micros / 1_000_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return `${this.#prefix}${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
  }

  /** ktime of a date, ns; negative for one before the machine started. */
  toKtime(date: Date): bigint {
    return BigInt(date.getTime()) * 1_000_000n - this.#offset;
  }
}

/**
 * The millisecond clock is right at its tick and late by up to 1 ms after it, and a pause between the two
 * readings makes it later still: the largest distance seen is the best.
 */
function measure(source: ClockSource): bigint {
  const start = source.monotonic();
  let best = 0n;
  for (;;) {
    const realtime = BigInt(source.realtime()) * 1_000_000n;
    const after = source.monotonic();
    if (best === 0n || realtime - after > best) best = realtime - after;
    if (after - start > measureFor) return best;
  }
}
