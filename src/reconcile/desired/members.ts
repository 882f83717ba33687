import { entryOf, type MapEntry } from '../entry.ts';

/** Who is in which slot of a network, as ifindexes of host ends; dense: slots 0 .. length-1. */
export type Slots = readonly number[];

/** Who is in which slot, by the network's number. */
export type SlotsByNetwork = ReadonlyMap<number, Slots>;

/**
 * The slots after some have gone and others have come: the last one moves into each hole, newcomers go to the end, and
 * nobody else moves. What is right already stays as it is, so it is no drift.
 */
export function alignSlots(current: Slots, wanted: ReadonlySet<number>): Slots {
  const slots = [...current];
  const seen = new Set<number>();
  for (let slot = 0; slot < slots.length; ) {
    const ifindex = slots[slot] as number;
    if (wanted.has(ifindex) && !seen.has(ifindex)) {
      seen.add(ifindex);
      slot++;
      continue;
    }
    const last = slots.pop() as number;
    if (slot < slots.length) slots[slot] = last;
  }
  for (const ifindex of wanted) if (!seen.has(ifindex)) slots.push(ifindex);
  return slots;
}

export function memberEntry(network: number, slot: number, ifindex: number): MapEntry {
  return entryOf('members', { network, slot }, ifindex);
}

export function memberEntries(network: number, slots: Slots): MapEntry[] {
  return slots.map((ifindex, slot) => memberEntry(network, slot, ifindex));
}
