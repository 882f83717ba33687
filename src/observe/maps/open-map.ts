import { join } from 'node:path';
import { mapInfo } from '../../loader/map-info.ts';
import type { MapDefinition } from '../../maps/definition.ts';
import { mapDefinitions } from '../../maps/generated/abi.ts';
import type { MapName, Maps } from '../../maps/open.ts';
import { perCpuStride, possibleCpus, type RawEntry } from '../../maps/raw-map.ts';

/** One of the datapath's maps, as it is open. */
export interface OpenMap {
  readonly definition: MapDefinition;
  /** Entries, as the map was made; of a ring buffer, bytes. */
  readonly capacity: number;
  /** Absolute path. */
  readonly pin: string;
  /** All entries, valid until the next batch; absent: the map has none, as a ring buffer. */
  batches?(): Iterable<readonly RawEntry[]>;
  /** Of a per-CPU map: one value a CPU. Default: the definition's. */
  decodeValue?(bytes: Uint8Array): unknown;
}

/** Every map of the datapath, in the order of their names. @param pins where they are pinned. */
export function openMapsOf(maps: Maps, pins: string): OpenMap[] {
  return (Object.keys(mapDefinitions) as MapName[]).map((name) => openMapOf(maps, name, pins));
}

function openMapOf(maps: Maps, name: MapName, pins: string): OpenMap {
  const map = maps[name];
  const definition = map.definition as MapDefinition;
  const pin = join(pins, definition.name);
  if (!('raw' in map)) return { definition, capacity: mapInfo(map.fd).maxEntries, pin };
  const { raw } = map;
  const open = { definition, capacity: raw.maxEntries, pin, batches: () => raw.batches() };
  return definition.type === 'percpu_array' ? { ...open, decodeValue: perCpuDecoder(definition) } : open;
}

function perCpuDecoder({ value }: MapDefinition): (bytes: Uint8Array) => unknown[] {
  const stride = perCpuStride(value.size);
  return (bytes) => Array.from({ length: possibleCpus() }, (_, cpu) => value.decode(bytes, cpu * stride));
}
