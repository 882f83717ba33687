import { setImmediate } from 'node:timers/promises';
import { VetchError } from '../../api/error.ts';
import type { MapEntryView, MapView } from '../../api/schemas/map.ts';
import type { MapDefinition } from '../../maps/definition.ts';
import { isZero } from '../zero.ts';
import { plainKey, plainValue } from './plain.ts';

/** Entries between two turns of others. */
const slice = 1024;

/** One of the datapath's maps, as it is open. */
export interface OpenMap {
  readonly definition: Pick<MapDefinition, 'name' | 'type' | 'writer'> & {
    readonly key: { readonly size: number };
    readonly value: { readonly size: number };
  };
  /** Entries, as the map was made; of a ring buffer, bytes. */
  readonly capacity: number;
  /** Absolute path. */
  readonly pin: string;
  /** Absent: the map has none, as a ring buffer. */
  entries?(): Iterable<readonly [unknown, unknown]>;
  /** Absent: they are counted one by one. */
  count?(): number;
}

/** The command that prints the same as `dumpMap`, with the names of the structs' fields. */
export function bpftoolDump(pin: string): string {
  return `bpftool map dump pinned ${/^[\w@%+=:,./-]+$/.test(pin) ? pin : `'${pin.replaceAll("'", "'\\''")}'`}`;
}

/**
 * @param known numbers of entries that need no counting: what the control plane has written, what the collector found.
 */
export function mapView(map: OpenMap, known: ReadonlyMap<string, number> = new Map()): MapView {
  const { definition, capacity, pin } = map;
  return {
    name: definition.name,
    type: definition.type,
    pin,
    keyBytes: definition.key.size,
    valueBytes: definition.value.size,
    entries: known.get(definition.name) ?? countEntries(map),
    capacity,
    writer: definition.writer,
    bpftool: definition.type === 'ringbuf' ? `bpftool map show pinned ${pin}` : bpftoolDump(pin),
  };
}

/** Of an array, those that are not zero: it has all its entries from the start. Null for what has no entries. */
export function countEntries(map: OpenMap): number | null {
  if (map.count && !isArray(map)) return map.count();
  if (!map.entries) return null;
  let count = 0;
  for (const [, value] of map.entries()) if (!isArray(map) || !isZero(value)) count++;
  return count;
}

/**
 * The entries of a map as JSON; of an array those that are not zero.
 *
 * @throws {VetchError} UNSUPPORTED from the first `next()` for a ring buffer.
 */
export async function* dumpEntries(map: OpenMap): AsyncGenerator<MapEntryView, void> {
  const { name } = map.definition;
  if (!map.entries)
    throw new VetchError('UNSUPPORTED', `map ${name} has no entries to dump`, 'read it with vetch flows');
  let seen = 0;
  for (const [key, value] of map.entries()) {
    if (++seen % slice === 0) await setImmediate();
    if (isArray(map) && isZero(value)) continue;
    yield { key: plainKey(name, key), value: plainValue(name, value) };
  }
}

function isArray({ definition }: OpenMap): boolean {
  return definition.type === 'array' || definition.type === 'percpu_array';
}
