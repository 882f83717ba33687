import { Mapping, pageSize } from '../loader/ffi/mapping.ts';
import { type Watch, watchReadable } from '../loader/ffi/poll.ts';
import { mapInfo } from '../loader/map-info.ts';

const headerBytes = 8;
const discardBit = 0x4000_0000;
const lengthMask = 0x3fff_ffff;
/** Records after which the kernel is told that their room is free again. */
const releaseEvery = 64;

/**
 * @param bytes the ring's own pages, or a copy of a record that goes round its end: valid until the callback returns.
 * @param offset where the record begins.
 */
export type RecordReader = (bytes: Uint8Array, offset: number, length: number) => void;

/**
 * The one consumer of a `BPF_MAP_TYPE_RINGBUF`, reading records where the kernel put them.
 *
 * Layout (kernel/bpf/ringbuf.c): a page with the consumer's position, a page with the producer's, the data. A record is an
 * 8-byte header, whose first word is its length and two bits (busy, discarded), and its bytes, rounded up to 8. The kernel
 * has the data twice in a row, so that no record is split; mapped once it counts once in our memory, and the one record
 * a round that goes beyond the end is copied together.
 *
 * Ordering: the positions and headers are read and written with `Atomics`, which V8 compiles to sequentially consistent
 * accesses for any typed array, shared or not. So a header is read before its record, and a position is published after
 * its records were read, on arm64 too. With them a record costs 8 ns (Node 24, x86-64).
 */
export class RingBuffer implements Disposable {
  readonly fd: number;
  /** Bytes of data. */
  readonly size: number;
  readonly #consumerPage: Mapping;
  readonly #producerPages: Mapping;
  readonly #consumed: BigUint64Array;
  readonly #produced: BigUint64Array;
  readonly #headers: Int32Array;
  readonly #bytes: Uint8Array;
  #joined = new Uint8Array(0);
  #position: number;
  #closed = false;

  private constructor(fd: number, size: number, page: number, consumer: Mapping, producer: Mapping) {
    this.fd = fd;
    this.size = size;
    this.#consumerPage = consumer;
    this.#producerPages = producer;
    this.#consumed = new BigUint64Array(consumer.bytes, 0, 1);
    this.#produced = new BigUint64Array(producer.bytes, 0, 1);
    this.#headers = new Int32Array(producer.bytes, page);
    this.#bytes = new Uint8Array(producer.bytes, page);
    this.#position = Number(Atomics.load(this.#consumed, 0));
  }

  /** @param fd stays the caller's, who keeps it open as long as the buffer is watched. */
  static open(fd: number): RingBuffer {
    const { name, maxEntries } = mapInfo(fd);
    const page = pageSize();
    const consumer = Mapping.map(fd, 0, page, true, `the consumer's page of ${name}`);
    try {
      const producer = Mapping.map(fd, page, page + maxEntries, false, `the data of ${name}`);
      return new RingBuffer(fd, maxEntries, page, consumer, producer);
    } catch (error) {
      consumer.close();
      throw error;
    }
  }

  /** Bytes written and not consumed yet. */
  pending(): number {
    return Number(Atomics.load(this.#produced, 0)) - this.#position;
  }

  /**
   * Reads what is there, oldest first, and returns how many records that was; it does not wait. When the callback
   * throws, its record counts as read.
   *
   * @param limit records after which to stop. Default: all that is there now.
   */
  consume(read: RecordReader, limit = Number.POSITIVE_INFINITY): number {
    if (this.#closed) throw new Error('the ring buffer is closed');
    const headers = this.#headers;
    const end = Number(Atomics.load(this.#produced, 0));
    let position = this.#position;
    let records = 0;
    try {
      while (position < end && records < limit) {
        const at = position % this.size;
        const header = Atomics.load(headers, at >>> 2);
        // Busy: reserved and not submitted yet. Those behind it must wait.
        if (header < 0) break;
        const length = header & lengthMask;
        position += (length + headerBytes + 7) & ~7;
        if ((header & discardBit) !== 0) continue;
        records++;
        if (at + headerBytes + length <= this.size) read(this.#bytes, at + headerBytes, length);
        else read(this.#join(at + headerBytes, length), 0, length);
        if (records % releaseEvery === 0) this.#release(position);
      }
    } finally {
      if (position !== this.#position) this.#release(position);
    }
    return records;
  }

  /** Calls back from the event loop when there is something to consume. */
  watch(callback: () => void): Watch {
    return watchReadable(this.fd, callback);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#consumerPage.close();
    this.#producerPages.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #join(start: number, length: number): Uint8Array {
    if (this.#joined.length < length) this.#joined = new Uint8Array(length);
    const head = this.#bytes.subarray(start);
    this.#joined.set(head);
    this.#joined.set(this.#bytes.subarray(0, length - head.length), head.length);
    return this.#joined;
  }

  #release(position: number): void {
    this.#position = position;
    Atomics.store(this.#consumed, 0, BigInt(position));
  }
}
