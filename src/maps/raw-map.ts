import { closeSync } from 'node:fs';
import { VetchError } from '../api/error.ts';
import { check } from '../loader/check.ts';
import * as libbpf from '../loader/ffi/libbpf.ts';
import { mapInfo } from '../loader/map-info.ts';
import { mapTypes } from './definition.ts';
import type { PackedEntries } from './packed-entries.ts';

/** `any` makes or replaces, `noexist` only makes, `exist` only replaces. */
export type UpdateFlag = 'any' | 'noexist' | 'exist';

/** One entry as bytes: the key, and the value. */
export type RawEntry = readonly [key: Uint8Array, value: Uint8Array];

const updateFlags = { any: 0, noexist: 1, exist: 2 } as const;
const noEntry = -2;
const tooBig = -7;
const noSpace = -28;

/** Entries a batch: a call stays well within 10 ms, of the slowest kind (a longest-prefix trie) too. */
const batchEntries = 1024;

/**
 * A map as the kernel has it: bytes in, bytes out. It owns its descriptor.
 *
 * Iteration sees a map that others may be writing: entries made meanwhile may be missed. Of a longest-prefix map,
 * collect before deleting: the kernel begins anew when the entry it stopped at is gone.
 */
export class RawMap implements Disposable {
  readonly fd: number;
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  /** Of all CPUs together, each rounded up to 8 bytes, for per-CPU maps. */
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly #zero: Uint8Array;
  #closed = false;

  constructor(fd: number) {
    const info = mapInfo(fd);
    this.fd = fd;
    this.id = info.id;
    this.name = info.name;
    this.type = mapTypes[info.type] ?? String(info.type);
    this.keySize = info.keySize;
    this.valueSize = this.type.includes('percpu') ? perCpuStride(info.valueSize) * possibleCpus() : info.valueSize;
    this.maxEntries = info.maxEntries;
    this.#zero = bytesOutsideHeap(Math.max(this.keySize, 8));
  }

  /** Reads into `value`; false when there is no such key. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    this.#checkSizes(key, value);
    const result = libbpf.mapLookupElem(this.fd, key, value);
    if (result === noEntry) return false;
    check(result, 'look up in map', this.name);
    return true;
  }

  /**
   * @throws {VetchError} MAP_FULL.
   * @throws {KernelError} EEXIST or ENOENT when the flag forbids it.
   */
  update(key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): void {
    this.#checkSizes(key, value);
    this.#checkUpdate(libbpf.mapUpdateElem(this.fd, key, value, updateFlags[flag]));
  }

  /** False when there is no such key. */
  delete(key: Uint8Array): boolean {
    this.#checkSizes(key);
    const result = libbpf.mapDeleteElem(this.fd, key);
    if (result === noEntry) return false;
    check(result, 'delete from map', this.name);
    return true;
  }

  /** Every entry, a batch at a time: the caller may let other work run between two. The bytes are the caller's own. */
  *batches(): Generator<RawEntry[]> {
    const { keySize, valueSize } = this;
    for (const { keys, values, count } of this.#chunks(true)) {
      yield Array.from({ length: count }, (_, index) => [
        keys.subarray(index * keySize, (index + 1) * keySize),
        values.subarray(index * valueSize, (index + 1) * valueSize),
      ]);
    }
  }

  /** Likewise, but without values that are all zeros, as an array has where nobody has written; large ones leave no garbage. */
  *writtenBatches(): Generator<RawEntry[]> {
    const { keySize, valueSize } = this;
    for (const { keys, values, count } of this.#chunks(false)) {
      const entries: RawEntry[] = [];
      for (const index of written(values, valueSize, count)) {
        const key = keys.slice(index * keySize, (index + 1) * keySize);
        entries.push([key, values.slice(index * valueSize, (index + 1) * valueSize)]);
      }
      yield entries;
    }
  }

  *entries(): Generator<RawEntry> {
    for (const batch of this.batches()) yield* batch;
  }

  /** Counts by reading all of it: the kernel keeps no count. */
  count(): number {
    let count = 0;
    for (const chunk of this.#chunks(false)) count += chunk.count;
    return count;
  }

  /**
   * Makes or replaces many, a batch a call: the kernel takes no `noexist` or `exist` for batches.
   *
   * @throws {VetchError} MAP_FULL; what was written before stays.
   */
  updateMany(entries: Iterable<RawEntry>): void {
    const keys = new Uint8Array(batchEntries * this.keySize);
    const values = new Uint8Array(batchEntries * this.valueSize);
    let filled = 0;
    for (const [key, value] of entries) {
      this.#checkSizes(key, value);
      keys.set(key, filled * this.keySize);
      values.set(value, filled * this.valueSize);
      if (++filled < batchEntries) continue;
      this.#updateBatch(keys, values, filled);
      filled = 0;
    }
    this.#updateBatch(keys, values, filled);
  }

  /** Likewise, without copying them. */
  updatePacked({ keys, values, keySize, valueSize, count }: PackedEntries): void {
    this.#checkLengths(keySize, valueSize);
    for (let from = 0; from < count; from += batchEntries) {
      const length = Math.min(batchEntries, count - from);
      this.#updateBatch(keys.subarray(from * keySize), values.subarray(from * valueSize), length);
    }
  }

  /** Deletes many, a batch a call; returns how many there were. */
  deleteMany(keys: Iterable<Uint8Array>): number {
    const bytes = new Uint8Array(batchEntries * this.keySize);
    let filled = 0;
    let deleted = 0;
    const flush = () => {
      deleted += this.#deleteBatch(bytes.subarray(0, filled * this.keySize), filled);
      filled = 0;
    };
    for (const key of keys) {
      this.#checkSizes(key);
      bytes.set(key, filled * this.keySize);
      if (++filled === batchEntries) flush();
    }
    flush();
    return deleted;
  }

  /** Likewise, without copying them; their values do not matter. */
  deletePacked({ keys, keySize, count }: PackedEntries): number {
    this.#checkLengths(keySize, this.valueSize);
    let deleted = 0;
    for (let from = 0; from < count; from += batchEntries) {
      deleted += this.#deleteBatch(keys.subarray(from * keySize), Math.min(batchEntries, count - from));
    }
    return deleted;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @param fresh every chunk has memory of its own. */
  *#chunks(fresh: boolean): Generator<{ keys: Uint8Array; values: Uint8Array; count: number }> {
    const cursor = this.#zero.slice();
    const count = new Uint32Array(1);
    let room = Math.min(batchEntries, this.maxEntries);
    let keys = new Uint8Array(room * this.keySize);
    let values = new Uint8Array(room * this.valueSize);
    for (let first = true; ; ) {
      count[0] = room;
      const result = libbpf.mapLookupBatch(this.fd, first ? null : cursor, cursor, keys, values, count, null);
      // A bucket with more entries than there is room for.
      if (result === noSpace) room *= 2;
      else if (result !== noEntry) check(result, 'read a batch of map', this.name);
      const found = result === noSpace ? 0 : (count[0] ?? 0);
      if (found > 0) yield { keys, values, count: found };
      if (result === noEntry) return;
      if (result !== noSpace) first = false;
      if (result === noSpace || fresh) {
        keys = new Uint8Array(room * this.keySize);
        values = new Uint8Array(room * this.valueSize);
      }
    }
  }

  #updateBatch(keys: Uint8Array, values: Uint8Array, length: number): void {
    if (length === 0) return;
    this.#checkUpdate(libbpf.mapUpdateBatch(this.fd, keys, values, new Uint32Array([length]), null));
  }

  #deleteBatch(keys: Uint8Array, length: number): number {
    const count = new Uint32Array(1);
    let deleted = 0;
    for (let from = 0; from < length; ) {
      count[0] = length - from;
      const result = libbpf.mapDeleteBatch(this.fd, keys.subarray(from * this.keySize), count, null);
      const done = count[0] ?? 0;
      deleted += done;
      if (result >= 0) break;
      // The kernel stops at a key that is not there: go on behind it.
      if (result !== noEntry) check(result, 'delete a batch from map', this.name);
      from += done + 1;
    }
    return deleted;
  }

  #checkSizes(key: Uint8Array, value?: Uint8Array): void {
    this.#checkLengths(key.length, value?.length ?? this.valueSize);
  }

  #checkLengths(keySize: number, valueSize: number): void {
    if (keySize === this.keySize && valueSize === this.valueSize) return;
    throw new RangeError(
      `map ${this.name} takes ${this.keySize} and ${this.valueSize} bytes, not ${keySize} and ${valueSize}`,
    );
  }

  #checkUpdate(result: number): void {
    if (result === tooBig || result === noSpace) {
      throw new VetchError(
        'MAP_FULL',
        `the map ${this.name} is full: it has room for ${this.maxEntries}`,
        `raise mapSizes.${this.name} in /etc/vetch/vetch.yaml and restart the daemon`,
      );
    }
    check(result, 'write to map', this.name);
  }
}

/** The indexes of the values that are not all zeros. */
function* written(values: Uint8Array, valueSize: number, count: number): Generator<number> {
  const whole = valueSize % 4 === 0;
  const words = whole ? new Uint32Array(values.buffer, values.byteOffset, (count * valueSize) / 4) : values;
  const length = whole ? valueSize / 4 : valueSize;
  for (let index = 0, at = 0; index < count; index++) {
    const end = (index + 1) * length;
    while (at < end && words[at] === 0) at++;
    if (at < end) yield index;
    at = end;
  }
}

let cpus = 0;

/** CPUs that the kernel may ever have: the values of one entry of a per-CPU map. */
export function possibleCpus(): number {
  if (cpus === 0) cpus = check(libbpf.numPossibleCpus(), 'count', 'the possible CPUs');
  return cpus;
}

/** Bytes from one CPU's value to the next one's. */
export function perCpuStride(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 8;
}

/** Bytes that V8 never moves: small arrays of its own heap would be moved out at every call. */
export function bytesOutsideHeap(size: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(size));
}
