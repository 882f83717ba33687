import { u32Codec } from '../../maps/codec.ts';
import { serviceBlockCodec, serviceCodec } from '../../maps/generated/abi.ts';
import { blockSlots, ServiceTables } from '../desired/service-tables.ts';
import type { RawEntry } from '../entry.ts';

/** Where the tables are, as the maps say. @param blocks elements of the map `service_slots` */
export function observedServiceTables(
  services: Iterable<RawEntry>,
  slots: Iterable<RawEntry>,
  blocks: number,
): ServiceTables {
  const tables = new ServiceTables(blocks);
  const rows = [...services];
  // Megabytes, of which no services have none.
  if (rows.length === 0) return tables;
  const elements = new Map<number, readonly number[]>();
  for (const { key, value } of slots) {
    elements.set(u32Codec.decode(key), serviceBlockCodec.decode(value).backend);
  }
  for (const { value } of rows) {
    const { number, first, slots: length } = serviceCodec.decode(value);
    if (first + Math.ceil(length / blockSlots) > blocks) continue;
    const read = Uint16Array.from({ length }, (_, i) => {
      return elements.get(first + Math.floor(i / blockSlots))?.[i % blockSlots] ?? 0;
    });
    tables.restore(number, { first, slots: read });
  }
  return tables;
}
