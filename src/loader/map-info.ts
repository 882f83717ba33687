import { infoOf } from './check.ts';
import { objectInfo } from './ffi/bpf.ts';

/** What the kernel says about a map. */
export interface MapInfo {
  readonly id: number;
  /** At most 15 characters: the kernel cuts longer ones. */
  readonly name: string;
  /** `enum bpf_map_type` */
  readonly type: number;
  readonly keySize: number;
  /** Of one CPU, for per-CPU maps. */
  readonly valueSize: number;
  /** Of a ring buffer, bytes. */
  readonly maxEntries: number;
  /** `BPF_F_*` */
  readonly flags: number;
}

/** @throws {KernelError} EBADF when `fd` is no map. */
export function mapInfo(fd: number): MapInfo {
  const info = infoOf(objectInfo('map', fd), 'describe a map', `descriptor ${fd}`);
  return {
    id: Number(info.id),
    name: String(info.name),
    type: Number(info.type),
    keySize: Number(info.key_size),
    valueSize: Number(info.value_size),
    maxEntries: Number(info.max_entries),
    flags: Number(info.map_flags),
  };
}
