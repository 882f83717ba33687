import type { DropReason } from '../../maps/generated/abi.ts';
import type { DropTotal } from '../counts.ts';
import { isNearlyFull, type MapFill } from '../maps/fill.ts';
import type { Moment } from './warning-window.ts';

export interface StatusNumbers {
  readonly now: Moment;
  /** Some minutes ago. */
  readonly earlier: Moment;
  readonly maps: readonly MapFill[];
}

/** Reasons that ask for action, with the action. */
const remedies: Readonly<Partial<Record<keyof typeof DropReason, string>>> = {
  CONNTRACK_FULL: 'the conntrack map refused new flows: raise map-sizes.conntrack',
  FLOW_QUOTA: 'an endpoint has as many flows as one may have: find it with vetch flows --reason FLOW_QUOTA',
  SNAT_QUOTA: 'an endpoint has as many masqueraded flows as one may have: find it with vetch flows --reason SNAT_QUOTA',
  SNAT_EXHAUSTED: 'no source port was free to masquerade with: fewer flows to one destination, or more host addresses',
  NO_SOURCE_ADDRESS: 'an uplink has no address of the family that is to be masqueraded',
  CONFIG_MISSING: 'packets came before the configuration was written',
  REWRITE_FAILED: 'the kernel refused to change packets',
};

/** What `status` warns of: what has happened since the earlier numbers, and what is nearly full now. */
export function statusWarnings({ now, earlier, maps }: StatusNumbers): string[] {
  const before = new Map(earlier.drops.map(({ reason, packets }) => [reason, packets]));
  const warnings: string[] = [];
  for (const { reason, packets } of now.drops) {
    const remedy = remedies[reason as keyof typeof DropReason];
    const since = packets - (before.get(reason) ?? 0n);
    if (remedy && since > 0n) warnings.push(`${reason}: ${since} packets: ${remedy}`);
  }
  for (const { name, entries, capacity } of maps.filter(isNearlyFull)) {
    warnings.push(`map ${name} holds ${entries} of ${capacity} entries: raise map-sizes.${name}`);
  }
  const lost = now.counters.EVENTS_LOST - earlier.counters.EVENTS_LOST;
  if (lost > 0n) warnings.push(`${lost} flow events were lost: the ring buffer was full`);
  const failures = now.collectorFailures - earlier.collectorFailures;
  if (failures > 0) warnings.push(`the conntrack collector failed ${failures} times: see the daemon's log`);
  return warnings;
}

/** Packets by reason as `status` shows them: reasons never met are left out. */
export function statusDrops(drops: readonly DropTotal[]): Record<string, number> {
  return Object.fromEntries(
    drops.filter(({ packets }) => packets > 0n).map(({ reason, packets }) => [reason, Number(packets)]),
  );
}
