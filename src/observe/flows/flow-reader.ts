import type { FlowLog } from './flow-log.ts';
import { recordSize, recordsIn } from './record.ts';

/** What a reader needs of `RingBuffer`. */
export interface EventRing {
  /** Calls back from the event loop while there is something to read. */
  watch(callback: () => void): { close(): void; unref(): void };
  consume(read: (bytes: Uint8Array, offset: number, length: number) => void, limit?: number): number;
  /** Bytes that are not consumed yet. */
  pending(): number;
}

export interface FlowReaderOptions {
  readonly ring: EventRing;
  readonly log: FlowLog;
  /** Records read in one turn of the event loop; default 16,384, well under a millisecond. */
  readonly limit?: number;
  /** Milliseconds between two readings while events come; default 5. */
  readonly interval?: number;
}

/**
 * Moves flow events from the ring buffer's pages into the history.
 *
 * The first event wakes the event loop; from then on the ring is read every few milliseconds until it is empty. So a
 * quiet host costs nothing, a busy one some hundred readings a second and no wake-up an event.
 */
export class FlowReader implements Disposable {
  readonly #ring: EventRing;
  readonly #log: FlowLog;
  readonly #limit: number;
  readonly #interval: number;
  #watch: { close(): void } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #words: Int32Array = new Int32Array(0);
  #seen: Uint8Array | undefined;
  #read = 0;
  #refused = 0;
  #closed = false;

  constructor({ ring, log, limit = 16_384, interval = 5 }: FlowReaderOptions) {
    this.#ring = ring;
    this.#log = log;
    this.#limit = limit;
    this.#interval = interval;
    this.#sleep();
  }

  /** Events read since it began. */
  get read(): number {
    return this.#read;
  }

  /** Records of another size than ours: programs of another version write into our ring. */
  get refused(): number {
    return this.#refused;
  }

  /** Stops reading; the ring stays its owner's. */
  close(): void {
    this.#closed = true;
    this.#watch?.close();
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #sleep(): void {
    const watch = this.#ring.watch(() => {
      watch.close();
      this.#watch = undefined;
      this.#drain();
    });
    watch.unref();
    this.#watch = watch;
  }

  #drain(): void {
    if (this.#closed) return;
    const consumed = this.#ring.consume(this.#take, this.#limit);
    if (consumed > 0) this.#log.announce();
    // A record that is reserved and not submitted yet counts as pending, and cannot be waited for by the watch.
    if (consumed === 0 && this.#ring.pending() === 0) {
      this.#sleep();
      return;
    }
    this.#timer = setTimeout(() => this.#drain(), consumed >= this.#limit ? 0 : this.#interval);
    this.#timer.unref();
  }

  readonly #take = (bytes: Uint8Array, offset: number, length: number): void => {
    if (bytes !== this.#seen) {
      this.#seen = bytes;
      this.#words = recordsIn(bytes).words;
    }
    if (length !== recordSize) {
      this.#refused++;
      return;
    }
    this.#log.append(this.#words, offset >> 2);
    this.#read++;
  };
}
