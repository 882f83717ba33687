import { setImmediate } from 'node:timers/promises';
import { VetchError } from '../../api/error.ts';
import type { MapEntryView, MapView } from '../../api/schemas/map.ts';
import { quotaCodec } from '../../maps/generated/abi.ts';
import { fieldPlaces } from '../layout.ts';
import type { OpenMap } from './open-map.ts';
import { plainKey, plainValue } from './plain.ts';

/** The command that prints the same as `dumpEntries`, with the names of the structs' fields. */
export function bpftoolDump({ definition, pin }: Pick<OpenMap, 'definition' | 'pin'>): string {
  const path = /^[\w@%+=:,./-]+$/.test(pin) ? pin : `'${pin.replaceAll("'", "'\\''")}'`;
  return `bpftool map ${definition.type === 'ringbuf' ? 'show' : 'dump'} pinned ${path}`;
}

/**
 * @param known numbers of entries that need no counting, by map: what the control plane has written, what the collector
 *   found.
 */
export async function mapView(map: OpenMap, known: ReadonlyMap<string, number> = new Map()): Promise<MapView> {
  const { definition, capacity, pin } = map;
  return {
    name: definition.name,
    type: definition.type,
    pin,
    keyBytes: definition.key.size,
    valueBytes: definition.value.size,
    entries: known.get(definition.name) ?? (await countEntries(map)),
    capacity,
    writer: definition.writer,
    bpftool: bpftoolDump(map),
  };
}

/** Of an array, those that are not zero: it has all its entries from the start. Null for what has no entries. */
export async function countEntries(map: OpenMap): Promise<number | null> {
  if (!map.batches) return null;
  let count = 0;
  for (const batch of map.batches()) {
    if (!isArray(map)) count += batch.length;
    else for (const [, value] of batch) if (isUsed(map, value)) count++;
    await setImmediate();
  }
  return count;
}

/**
 * The entries of a map as JSON; of an array those that are not zero.
 *
 * @throws {VetchError} UNSUPPORTED from the first `next()` for a ring buffer.
 */
export async function* dumpEntries(map: OpenMap): AsyncGenerator<MapEntryView, void> {
  const { name, key, value } = map.definition;
  const decodeValue = map.decodeValue?.bind(map) ?? ((bytes: Uint8Array) => value.decode(bytes, 0));
  if (!map.batches)
    throw new VetchError('UNSUPPORTED', `map ${name} has no entries to dump`, 'read it with vetch flows');
  for (const batch of map.batches()) {
    for (const [keyBytes, valueBytes] of batch) {
      if (isArray(map) && !isUsed(map, valueBytes)) continue;
      yield { key: plainKey(name, key.decode(keyBytes, 0)), value: plainValue(name, decodeValue(valueBytes)) };
    }
    await setImmediate();
  }
}

function isArray({ definition }: OpenMap): boolean {
  return definition.type === 'array' || definition.type === 'percpu_array';
}

/** The collector stamps every quota with its time, those of nobody too. */
const { epoch } = fieldPlaces(quotaCodec);

function isUsed({ definition }: OpenMap, value: Uint8Array): boolean {
  if (definition.name !== 'quotas') return !isZero(value, 0, value.length);
  return !isZero(value, 0, epoch.offset) || !isZero(value, epoch.offset + epoch.size, value.length);
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}
