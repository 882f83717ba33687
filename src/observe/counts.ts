import { Counter, type DropCount, DropReason, dropReasonName } from '../maps/generated/abi.ts';

/** Packets that were dropped for one reason, all CPUs together. */
export interface DropTotal {
  readonly reason: string;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** What a per-CPU array gives: one value a CPU for each index. */
export interface PerCpuValues<T> {
  entries(): Iterable<readonly [index: number, values: readonly T[]]>;
}

/** Every reason in its order, also those never met; at most `DropReason.COUNT` of them. */
export function dropTotals(drops: PerCpuValues<DropCount>): DropTotal[] {
  const totals: DropTotal[] = [];
  for (const [reason, values] of drops.entries()) {
    if (reason === DropReason.NONE || reason >= DropReason.COUNT) continue;
    totals.push({
      reason: dropReasonName(reason),
      packets: values.reduce((sum, { packets }) => sum + packets, 0n),
      bytes: values.reduce((sum, { bytes }) => sum + bytes, 0n),
    });
  }
  return totals;
}

/** The datapath's counters by name, all CPUs together. */
export type CounterTotals = { readonly [Name in Exclude<keyof typeof Counter, 'COUNT'>]: bigint };

export function counterTotals(counters: PerCpuValues<bigint>): CounterTotals {
  const byIndex = new Map<number, bigint>();
  for (const [index, values] of counters.entries()) {
    byIndex.set(
      index,
      values.reduce((sum, value) => sum + value, 0n),
    );
  }
  return Object.fromEntries(
    Object.entries(Counter)
      .filter(([name]) => name !== 'COUNT')
      .map(([name, index]) => [name, byIndex.get(index) ?? 0n]),
  ) as CounterTotals;
}
