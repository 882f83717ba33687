import { entryOf, type MapEntry } from '../entry.ts';

/** A slot and who is in it, as the ifindex of its host end, or as what stands for another host's. */
export interface Slot {
  readonly slot: number;
  readonly ifindex: number;
}

interface Dense {
  readonly slots: number[];
  /** By ifindex. */
  readonly places: Map<number, number>;
}

/**
 * Who is in which slot of each network; always dense, slots 0 to count-1: the last one moves into the hole that a leaver
 * leaves, newcomers go to the end, and nobody else moves. Adding and removing cost the same whatever the number.
 */
export class MemberSlots {
  readonly #networks = new Map<number, Dense>();

  count(network: number): number {
    return this.#networks.get(network)?.slots.length ?? 0;
  }

  /** Ifindexes in the order of their slots. */
  of(network: number): readonly number[] {
    return this.#networks.get(network)?.slots ?? [];
  }

  /** Its slot: a new one at the end, or the one that it has. */
  add(network: number, ifindex: number): Slot {
    const { slots, places } = this.#dense(network);
    const slot = places.get(ifindex) ?? slots.push(ifindex) - 1;
    places.set(ifindex, slot);
    return { slot, ifindex };
  }

  /** What has to be written so that slots stay dense, if anything, and the slot that is free now. */
  remove(network: number, ifindex: number): { readonly moved?: Slot; readonly freed: number } | undefined {
    const { slots, places } = this.#dense(network);
    const slot = places.get(ifindex);
    const last = slots.pop();
    if (slot === undefined || last === undefined) {
      if (last !== undefined) slots.push(last);
      return undefined;
    }
    places.delete(ifindex);
    if (slot === slots.length) return { freed: slot };
    slots[slot] = last;
    places.set(last, slot);
    return { moved: { slot, ifindex: last }, freed: slots.length };
  }

  /** Makes them exactly these, by as few moves as possible. What is right already stays, so it is no drift. */
  align(network: number, wanted: ReadonlySet<number>): void {
    for (const ifindex of [...this.of(network)]) if (!wanted.has(ifindex)) this.remove(network, ifindex);
    for (const ifindex of wanted) this.add(network, ifindex);
  }

  /** Forgets a network. */
  drop(network: number): void {
    this.#networks.delete(network);
  }

  networks(): readonly number[] {
    return [...this.#networks.keys()];
  }

  #dense(network: number): Dense {
    const known = this.#networks.get(network);
    if (known) return known;
    const dense = { slots: [], places: new Map<number, number>() };
    this.#networks.set(network, dense);
    return dense;
  }
}

export function memberEntry(network: number, { slot, ifindex }: Slot): MapEntry {
  return entryOf('members', { network, slot }, ifindex);
}

export function memberEntries(network: number, slots: readonly number[]): MapEntry[] {
  return slots.map((ifindex, slot) => memberEntry(network, { slot, ifindex }));
}
