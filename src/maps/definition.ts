import type { Codec } from './codec.ts';

/**
 * Kinds of maps, by the names that bpftool gives them; the place in the list is the kernel's number.
 * Source: `enum bpf_map_type` of linux/bpf.h.
 */
export const mapTypes = [
  'unspec',
  'hash',
  'array',
  'prog_array',
  'perf_event_array',
  'percpu_hash',
  'percpu_array',
  'stack_trace',
  'cgroup_array',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'sockmap',
  'cpumap',
  'xskmap',
  'sockhash',
  'cgroup_storage',
  'reuseport_sockarray',
  'percpu_cgroup_storage',
  'queue',
  'stack',
  'sk_storage',
  'devmap_hash',
  'struct_ops',
  'ringbuf',
  'inode_storage',
  'task_storage',
  'bloom_filter',
  'user_ringbuf',
  'cgrp_storage',
  'arena',
] as const;

export type MapType = (typeof mapTypes)[number];

/** Who writes a map: reconcile repairs what the control plane writes and leaves the datapath's alone. */
export type MapWriter = 'control' | 'datapath';

/** What bpf/maps.h says about one map. */
export interface MapDefinition<K = unknown, V = unknown, T extends MapType = MapType> {
  /** In the kernel, in bpftool and in the pin path. */
  readonly name: string;
  readonly type: T;
  /** Of a ring buffer, `voidCodec`. */
  readonly key: Codec<K>;
  readonly value: Codec<V>;
  /** The default; of a ring buffer, bytes. */
  readonly maxEntries: number;
  /** `BPF_F_*` of the map's creation. */
  readonly flags: number;
  readonly writer: MapWriter;
}

/** For maps that have no keys or values. */
export const voidCodec: Codec<undefined> = { size: 0, encode: () => undefined, decode: () => undefined };
