/** What of a backend a table depends on. */
export interface WeightedBackend {
  /** Its place in the table comes from it: hex digits, 16 or more. */
  readonly id: string;
  /** What the slots say, 1 to 65535. */
  readonly number: number;
  /** 0: it gets nothing. */
  readonly weight: number;
}

/** How many backends a table of so many slots is for: each has about 60 or more, so that shares are even to some percent. */
const sizes = [
  { slots: 127, backends: 2 },
  { slots: 509, backends: 8 },
  { slots: 1021, backends: 16 },
  { slots: 4093, backends: 64 },
  { slots: 16381, backends: 256 },
  { slots: 65521, backends: 1024 },
] as const;

/** As many as one service's table has room for. */
export const maxBackends = 1024;

/** A prime, so that every backend's sequence reaches every slot. */
export function tableSize(backends: number): number {
  return sizes.find((size) => backends <= size.backends)?.slots ?? 65521;
}

/**
 * Maglev's table (Eisenbud et al., NSDI 2016, 3.4) with weights: who has which slot. Each backend goes through all slots
 * in an order of its own and takes the next free one when it is its turn, which comes as often as its weight says. When a
 * backend goes, its slots are shared out and few others change hands.
 *
 * @returns numbers of backends, `slots` of them; empty when no backend has a weight
 */
export function maglevTable(backends: readonly WeightedBackend[], slots?: number): Uint16Array {
  const rows = backends
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, maxBackends);
  if (rows.length === 0) return new Uint16Array(0);
  const size = slots ?? tableSize(rows.length);
  const heaviest = Math.max(...rows.map(({ weight }) => weight));
  const turns = rows.map(({ id, number, weight }) => ({ ...place(id, size), number, weight, due: 0 }));
  const table = new Uint16Array(size);
  let filled = 0;
  for (let round = 1; filled < size; round++) {
    for (const turn of turns) {
      if (round * turn.weight < turn.due) continue;
      turn.due += heaviest;
      while (table[turn.at] !== 0) turn.at = (turn.at + turn.skip) % size;
      table[turn.at] = turn.number;
      if (++filled === size) break;
    }
  }
  return table;
}

/** Where a backend's order begins, and how far it steps. */
function place(id: string, size: number): { at: number; skip: number } {
  const [offset, skip] = [Number.parseInt(id.slice(0, 8), 16), Number.parseInt(id.slice(8, 16), 16)];
  return { at: offset % size, skip: (skip % (size - 1)) + 1 };
}
