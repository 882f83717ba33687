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
const evicts: ReadonlySet<string> = new Set(['affinity', 'fragments', 'meetings', 'sock_reverse']);

/** Arrays of which entries are given away and come back. */
const allocated: ReadonlySet<string> = new Set(['service_slots']);

/** From this fill on a map is said to be nearly full. */
const nearly = 0.9;

/** Entries by capacity, 0 to 1; undefined of what cannot fill up: a ring buffer, and most arrays, which have all of theirs. */
export function fillRatio({ name, type, entries, capacity }: MapFill): number | undefined {
  if (entries === null || (type.endsWith('array') && !allocated.has(name))) return undefined;
  return entries / capacity;
}

/** Whether a map that can refuse entries is about to. */
export function isNearlyFull(map: MapFill): boolean {
  const ratio = fillRatio(map);
  return ratio !== undefined && ratio >= nearly && !evicts.has(map.name);
}
