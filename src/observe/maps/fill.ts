/** How full a map is: what of a `MapView` tells it. */
export interface MapFill {
  readonly name: string;
  /** As bpftool prints it. */
  readonly type: string;
  /** Null where entries cannot be counted, as in a ring buffer. */
  readonly entries: number | null;
  readonly capacity: number;
}

/** LRU maps evict when full and are meant to be: of them only conntrack's fill costs somebody a flow. */
const evicts: ReadonlySet<string> = new Set(['fragments', 'sock_reverse']);

/** From this fill on a map is said to be nearly full. */
const nearly = 0.9;

/** Whether a map that can refuse entries is about to. Arrays have all theirs from the start. */
export function isNearlyFull({ name, type, entries, capacity }: MapFill): boolean {
  return entries !== null && !type.endsWith('array') && !evicts.has(name) && entries >= nearly * capacity;
}
