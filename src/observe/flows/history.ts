import { type Records, recordSize, recordsIn } from './record.ts';

const recordWords = recordSize / 4;

/**
 * The newest flow events, as the bytes that the datapath wrote: no object is made for an event until one is asked for.
 *
 * Events are numbered from 0 in the order of their arrival; `begin` to `end - 1` are kept, the oldest overwritten first.
 */
export class FlowHistory {
  /** How many events are kept: a power of two. */
  readonly capacity: number;
  readonly records: Records;
  readonly #mask: number;
  #end = 0;

  /** @param capacity events, rounded up to a power of two; default 65,536 (4.5 MiB). */
  constructor(capacity = 65_536) {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(1, capacity)));
    this.#mask = this.capacity - 1;
    this.records = recordsIn(new Uint8Array(this.capacity * recordSize));
  }

  /** Number of the oldest event that is kept. */
  get begin(): number {
    return Math.max(0, this.#end - this.capacity);
  }

  /** Number that the next event will have. */
  get end(): number {
    return this.#end;
  }

  /** Byte offset of an event in `records`; meaningful for `begin` to `end - 1`. */
  offsetOf(event: number): number {
    return (event & this.#mask) * recordSize;
  }

  /** Copies one record; `word` is the index of its first word in `words`. */
  append(words: Int32Array, word: number): void {
    const target = this.records.words;
    const to = (this.#end & this.#mask) * recordWords;
    for (let i = 0; i < recordWords; i++) target[to + i] = words[word + i] as number;
    this.#end++;
  }
}
