import { closeSync } from 'node:fs';
import { check } from '../loader/check.ts';
import * as libbpf from '../loader/ffi/libbpf.ts';
import { mapInfo } from '../loader/map-info.ts';
import type { MapDefinition } from './definition.ts';
import type { RawEntry } from './raw-map.ts';

const noEntry = -2;

/**
 * A pinned map of sockets, which the datapath fills and the kernel empties. Taking a socket out of it by hand would lose what
 * waits in it to be read. It owns its descriptor.
 */
export class SocketMap<K, V> implements Disposable {
  readonly fd: number;
  readonly definition: MapDefinition<K, V>;
  readonly raw: { readonly maxEntries: number; batches(): Generator<RawEntry[]> };
  #closed = false;

  constructor(fd: number, definition: MapDefinition<K, V>) {
    this.fd = fd;
    this.definition = definition;
    this.raw = { maxEntries: mapInfo(fd).maxEntries, batches: () => this.#batches() };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The kernel gives maps of sockets an entry at a time. The values are the sockets' cookies. */
  *#batches(): Generator<RawEntry[]> {
    const { key, value } = this.definition;
    let batch: RawEntry[] = [];
    let at: Uint8Array | null = null;
    for (let left = this.raw.maxEntries; left > 0; left--) {
      const next = new Uint8Array(key.size);
      const result = libbpf.mapGetNextKey(this.fd, at, next);
      if (result === noEntry) break;
      check(result, 'read the keys of map', this.definition.name);
      const found = new Uint8Array(value.size);
      // It may have been closed meanwhile.
      if (libbpf.mapLookupElem(this.fd, next, found) >= 0) batch.push([next, found]);
      at = next;
      if (batch.length < 1024) continue;
      yield batch;
      batch = [];
    }
    yield batch;
  }
}
