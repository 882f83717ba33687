import { VetchError } from '../../api/error.ts';
import { mapDefinitions, serviceBlockCodec } from '../../maps/generated/abi.ts';
import { entryOf, type MapEntry } from '../entry.ts';

/** Slots of one element of `service_slots`. */
export const blockSlots = serviceBlockCodec.size / Uint16Array.BYTES_PER_ELEMENT;

/** A service's table, and the element in which it begins. */
export interface PlacedTable {
  readonly first: number;
  readonly slots: Uint16Array;
}

/** A service without a backend that can be reached. */
const nowhere: PlacedTable = { first: 0, slots: new Uint16Array(0) };

/**
 * Where the tables of services lie in `service_slots`. A table that changes is put elsewhere, and what it was before stays
 * for a while: a program that has just read where a table is finds it there. Places are taken in turn, so one
 * that was given back is not used again before all others.
 */
export class ServiceTables {
  readonly #tables = new Map<number, PlacedTable>();
  readonly #used: boolean[];
  /** By service: what its table was made from. */
  readonly #madeFrom = new Map<number, string>();
  #retired: { readonly table: PlacedTable; readonly at: number }[] = [];
  #next = 0;

  /** @param blocks elements of the map */
  constructor(blocks: number = mapDefinitions.serviceSlots.maxEntries) {
    this.#used = new Array<boolean>(blocks).fill(false);
  }

  /** As a map says that it is. */
  restore(number: number, table: PlacedTable): void {
    if (table.slots.length === 0 || this.#tables.has(number)) return;
    this.#tables.set(number, table);
    this.#mark(table, true);
  }

  of(number: number): PlacedTable {
    return this.#tables.get(number) ?? nowhere;
  }

  /** Numbers of the services that have a table. */
  numbers(): number[] {
    return [...this.#tables.keys()];
  }

  /**
   * Gives a service the table that is made from `what`, as {@link put} does; made anew only when that is another.
   *
   * @throws VetchError MAP_FULL: it keeps the one that it has
   */
  putMade(number: number, what: string, make: () => Uint16Array): PlacedTable {
    if (this.#madeFrom.get(number) === what) return this.of(number);
    const table = this.put(number, make());
    this.#madeFrom.set(number, what);
    return table;
  }

  /** Gives a service its table, which is the one it has if nothing changes. @throws VetchError MAP_FULL: it keeps that */
  put(number: number, slots: Uint16Array): PlacedTable {
    const before = this.of(number);
    if (sameSlots(before.slots, slots)) return before;
    const table = slots.length === 0 ? nowhere : { first: this.#free(blocksOf(slots)), slots };
    this.drop(number);
    if (slots.length > 0) {
      this.#tables.set(number, table);
      this.#mark(table, true);
    }
    return table;
  }

  drop(number: number): void {
    this.#madeFrom.delete(number);
    const table = this.#tables.get(number);
    if (!table) return;
    this.#tables.delete(number);
    this.#retired.push({ table, at: performance.now() });
  }

  /** Undoes what {@link put} did last to a service. @param before what it had then, which is not swept yet */
  putBack(number: number, before: PlacedTable): void {
    if (this.of(number) === before) return;
    this.drop(number);
    this.#retired = this.#retired.filter(({ table }) => table !== before);
    if (before.slots.length > 0) this.#tables.set(number, before);
  }

  /**
   * Gives back the places of tables that are used no more.
   *
   * @param age milliseconds since that is so; default 0: of all of them
   * @returns what they hold
   */
  sweep(age = 0): MapEntry[] {
    const before = performance.now() - age;
    const retired = this.#retired.filter(({ at }) => at <= before);
    this.#retired = this.#retired.filter(({ at }) => at > before);
    for (const { table } of retired) this.#mark(table, false);
    return retired.flatMap(({ table }) => tableEntries(table));
  }

  /** All that the map holds, with what is still there to be swept. */
  *entries(): Generator<MapEntry> {
    for (const table of this.#tables.values()) yield* tableEntries(table);
    for (const { table } of this.#retired) yield* tableEntries(table);
  }

  #mark({ first, slots }: PlacedTable, used: boolean): void {
    this.#used.fill(used, first, first + blocksOf(slots));
  }

  #free(blocks: number): number {
    const total = this.#used.length;
    for (let tried = 0, start = this.#next; tried <= total; ) {
      if (start + blocks > total) {
        tried += total - start;
        start = 0;
        if (blocks > total) break;
      }
      const taken = this.#used.lastIndexOf(true, start + blocks - 1);
      if (taken < start) {
        this.#next = start + blocks;
        return start;
      }
      tried += taken + 1 - start;
      start = taken + 1;
    }
    throw new VetchError(
      'MAP_FULL',
      `the tables of services fill the map service_slots, which has ${total * blockSlots} slots`,
      'remove services that are no longer needed, or start the daemon with a larger map',
    );
  }
}

const encodedTables = new WeakMap<PlacedTable, readonly MapEntry[]>();

/** Encoded once: every pass over the host compares all of them. */
export function tableEntries(table: PlacedTable): readonly MapEntry[] {
  const known = encodedTables.get(table);
  if (known) return known;
  const entries = encodeTable(table);
  encodedTables.set(table, entries);
  return entries;
}

function encodeTable({ first, slots }: PlacedTable): MapEntry[] {
  return Array.from({ length: blocksOf(slots) }, (_, i) => {
    const backend = Array.from({ length: blockSlots }, (_, at) => slots[i * blockSlots + at] ?? 0);
    return entryOf('serviceSlots', first + i, { backend });
  });
}

/** Backends' numbers, each once. */
export function membersOf({ slots }: PlacedTable): number[] {
  return [...new Set(slots)];
}

function blocksOf(slots: Uint16Array): number {
  return Math.ceil(slots.length / blockSlots);
}

function sameSlots(a: Uint16Array, b: Uint16Array): boolean {
  return a.length === b.length && a.every((number, i) => number === b[i]);
}
