import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { openPin } from '../loader/bpffs.ts';
import { ArrayMap } from './array-map.ts';
import type { MapDefinition, MapType } from './definition.ts';
import { mapDefinitions } from './generated/abi.ts';
import { HashMap } from './hash-map.ts';
import { LpmMap } from './lpm-map.ts';
import { PerCpuArray } from './per-cpu-array.ts';
import { RingBuffer } from './ring-buffer.ts';
import { SocketMap } from './socket-map.ts';

type Definitions = typeof mapDefinitions;

/** The typed map for a definition. */
// biome-ignore format: a table reads better in lines
export type MapOf<D> =
  D extends { type: 'hash' | 'lru_hash' } & MapDefinition<infer K, infer V, MapType> ? HashMap<K, V> :
  D extends { type: 'lpm_trie' } & MapDefinition<infer K, infer V, MapType> ? LpmMap<K, V> :
  D extends { type: 'array' } & MapDefinition<number, infer V, MapType> ? ArrayMap<V> :
  D extends { type: 'percpu_array' } & MapDefinition<number, infer V, MapType> ? PerCpuArray<V> :
  D extends { type: 'sockhash' } & MapDefinition<infer K, infer V, MapType> ? SocketMap<K, V> :
  D extends { type: 'ringbuf' } ? RingMap :
  never;

export type MapName = keyof Definitions;

/** Every map of the datapath, by its name in TypeScript. */
export type Maps = { readonly [N in MapName]: MapOf<Definitions[N]> } & Disposable & { close(): void };

/** A pinned ring buffer. It owns its descriptor; only one process may consume it. */
export class RingMap implements Disposable {
  readonly fd: number;
  readonly definition: MapDefinition<undefined, undefined, MapType>;
  #closed = false;

  constructor(fd: number, definition: MapDefinition<undefined, undefined, MapType>) {
    this.fd = fd;
    this.definition = definition;
  }

  /** Maps its pages. The caller closes the buffer, before this. */
  open(): RingBuffer {
    return RingBuffer.open(this.fd);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens every pinned map. The caller closes the result.
 *
 * @param pinDirectory as `/sys/fs/bpf/vetch/v1/maps`.
 * @throws {KernelError} ENOENT when one is not pinned there.
 * @throws {RangeError} when one has keys or values of another size: it is of another version.
 */
export function openMaps(pinDirectory: string): Maps {
  const opened = new Map<string, Disposable>();
  const close = () => {
    for (const map of opened.values()) map[Symbol.dispose]();
    opened.clear();
  };
  try {
    for (const [name, definition] of Object.entries(mapDefinitions)) {
      opened.set(name, openMap(join(pinDirectory, definition.name), definition as MapDefinition));
    }
  } catch (error) {
    close();
    throw error;
  }
  return { ...Object.fromEntries(opened), close, [Symbol.dispose]: close } as unknown as Maps;
}

function openMap(path: string, definition: MapDefinition): Disposable {
  const fd = openPin(path);
  try {
    return make(fd, definition);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function make(fd: number, definition: MapDefinition): Disposable {
  switch (definition.type) {
    case 'hash':
    case 'lru_hash':
      return new HashMap(fd, definition);
    case 'lpm_trie':
      return new LpmMap(fd, definition);
    case 'array':
      return new ArrayMap(fd, definition as MapDefinition<number>);
    case 'percpu_array':
      return new PerCpuArray(fd, definition as MapDefinition<number>);
    case 'sockhash':
      return new SocketMap(fd, definition);
    case 'ringbuf':
      return new RingMap(fd, definition as MapDefinition<undefined, undefined>);
    default:
      throw new RangeError(`there is no typed map for the kind ${definition.type} of ${definition.name}`);
  }
}
