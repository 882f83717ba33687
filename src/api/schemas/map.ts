import { z } from 'zod';
import type { Immutable } from './immutable.ts';

export const mapView = z.object({
  name: z.string(),
  type: z.string().describe("the kernel's name in lower case, as bpftool prints it: hash, lru_hash, lpm_trie, array"),
  pin: z.string(),
  keyBytes: z.int(),
  valueBytes: z.int(),
  entries: z.int().nullable().describe('null where entries cannot be counted, as in a ring buffer'),
  capacity: z.int().describe('entries; bytes of a ring buffer'),
  writer: z.enum(['control', 'datapath']),
  bpftool: z.string().describe('the command that shows the same'),
});

/** One entry, decoded: addresses, prefixes, MACs and enums as text, structs as objects, one value a CPU as an array. */
export const mapEntryView = z.object({ key: z.unknown(), value: z.unknown() });

export const mapDumpView = z.object({
  name: z.string(),
  bpftool: z.string().describe('the command that shows the same'),
  entries: z.array(mapEntryView),
});

export type MapView = Immutable<z.output<typeof mapView>>;
export interface MapEntryView {
  readonly key: unknown;
  readonly value: unknown;
}
