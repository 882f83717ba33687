import { setImmediate } from 'node:timers/promises';
import { VetchError } from '../../api/error.ts';
import type { FlowQuery, FlowView } from '../../api/schemas/flow.ts';
import type { RefNames } from '../peers.ts';
import { KtimeClock } from './clock.ts';
import type { FlowDirectory } from './directory.ts';
import { compileFilter, type RecordFilter } from './filter.ts';
import { FlowFormatter } from './formatter.ts';
import { FlowHistory } from './history.ts';

/** Events that are tested or made into objects before others get their turn: some milliseconds. */
const slice = 8192;
const viewSlice = 4096;

export interface FlowLogOptions {
  readonly directory: FlowDirectory;
  readonly names: RefNames;
  /** Name of this host. */
  readonly node: string;
  /** Events that are kept; default 65,536. */
  readonly capacity?: number;
  readonly clock?: KtimeClock;
  /** Followers at one time; default 64. */
  readonly maxFollowers?: number;
}

/** A flow, and what its reader has missed. */
export interface FlowLine extends FlowView {
  /**
   * Only where the reader was too slow: so many events before this one, matching or not, were overwritten before it
   * came to them.
   */
  readonly lost?: number;
}

/**
 * The flow events of this host: what was, and what happens.
 *
 * A follower is a place in the history and has no queue of its own, so a slow one costs nothing: what is overwritten
 * before it is read is lost to it, counted, and told.
 */
export class FlowLog {
  readonly history: FlowHistory;
  readonly #clock: KtimeClock;
  readonly #directory: FlowDirectory;
  readonly #names: RefNames;
  readonly #formatter: FlowFormatter;
  readonly #waiting = new Set<() => void>();
  readonly #maxFollowers: number;
  #followers = 0;
  #lost = 0;

  constructor({ directory, names, node, capacity, clock, maxFollowers }: FlowLogOptions) {
    this.#maxFollowers = maxFollowers ?? 64;
    this.history = new FlowHistory(capacity);
    this.#clock = clock ?? new KtimeClock();
    this.#directory = directory;
    this.#names = names;
    this.#formatter = new FlowFormatter({ clock: this.#clock, directory, node });
  }

  /** Followers there are now. */
  get followers(): number {
    return this.#followers;
  }

  /** Events that slow followers missed, all together. */
  get lostByFollowers(): number {
    return this.#lost;
  }

  /** Copies one record into the history; `announce` tells of it. */
  append(words: Int32Array, word: number): void {
    this.history.append(words, word);
  }

  /** Tells the followers that there is something new: once a batch. */
  announce(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /**
   * Oldest first. Without `last` everything kept that matches; with `follow`, and neither `last` nor `since`, only
   * what is new.
   *
   * @throws {VetchError} INVALID, NOT_FOUND, UNAVAILABLE (too many followers) from the first `next()`, before any flow.
   */
  async *query(query: FlowQuery, signal: AbortSignal): AsyncGenerator<FlowLine, void> {
    this.#clock.recheck();
    let version = this.#directory.version;
    let matches = this.#compile(query);
    const { begin, end } = this.history;
    let next = query.follow && query.last === undefined && query.since === undefined ? end : begin;
    if (query.last !== undefined) next = await this.#startOfLast(matches, query.last, signal);
    const untilKtime = query.until === undefined ? undefined : this.#clock.toKtime(new Date(query.until));
    const stop = query.follow ? Number.POSITIVE_INFINITY : end;
    if (query.follow) this.#follow();
    try {
      let made = 0;
      let lost = 0;
      while (next < stop && !signal.aborted) {
        const { begin: oldest, end: newest, records } = this.history;
        if (next < oldest) {
          if (query.follow) this.#lost += oldest - next;
          lost += oldest - next;
          next = oldest;
        }
        if (next === newest) {
          if (untilKtime !== undefined && this.#clock.now() > untilKtime) return;
          await this.#news(signal, untilKtime);
          this.#clock.recheck();
          if (this.#directory.version !== version) {
            version = this.#directory.version;
            matches = this.#compileAgain(query, matches);
          }
          continue;
        }
        const sliceEnd = Math.min(stop, newest, next + slice);
        while (next < sliceEnd && !matches(records, this.history.offsetOf(next))) next++;
        if (next < sliceEnd) {
          const view = this.#formatter.view(records, this.history.offsetOf(next++));
          yield lost === 0 ? view : { ...view, lost };
          lost = 0;
          if (++made % viewSlice !== 0) continue;
        }
        await setImmediate();
      }
    } finally {
      if (query.follow) this.#followers--;
    }
  }

  #follow(): void {
    if (this.#followers >= this.#maxFollowers) {
      throw new VetchError(
        'UNAVAILABLE',
        `${this.#followers} clients follow the flows already`,
        'stop one of them, or ask without --follow',
      );
    }
    this.#followers++;
  }

  #compile(query: FlowQuery): RecordFilter {
    return compileFilter(query, this.#names, {
      ...(query.since !== undefined && { since: this.#clock.toKtime(new Date(query.since)) }),
      ...(query.until !== undefined && { until: this.#clock.toKtime(new Date(query.until)) }),
    });
  }

  /** Names may stand for others now. Those that stand for nobody any more keep what they stood for. */
  #compileAgain(query: FlowQuery, before: RecordFilter): RecordFilter {
    try {
      return this.#compile(query);
    } catch (error) {
      if (error instanceof VetchError) return before;
      throw error;
    }
  }

  /** Number of the first of the newest `count` events that match. */
  async #startOfLast(matches: RecordFilter, count: number, signal: AbortSignal): Promise<number> {
    let found = 0;
    let event = this.history.end;
    while (found < count && event > this.history.begin && !signal.aborted) {
      event--;
      if (matches(this.history.records, this.history.offsetOf(event))) found++;
      if (event % slice === 0) await setImmediate();
    }
    return event;
  }

  /** Resolves with the next announcement, when the client leaves, or when `until` has passed. */
  #news(signal: AbortSignal, untilKtime: bigint | undefined): Promise<void> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        clearTimeout(timer);
        resolve();
      };
      if (untilKtime !== undefined) {
        const left = Number((untilKtime - this.#clock.now()) / 1_000_000n) + 1;
        timer = setTimeout(done, Math.min(left, 2 ** 31 - 1));
      }
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}
