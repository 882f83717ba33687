import { u32Codec } from '../../maps/codec.ts';
import { memberKeyCodec } from '../../maps/generated/abi.ts';
import { MemberSlots } from '../desired/members.ts';
import type { RawEntry } from '../entry.ts';

/** Who is in which slot, as the map says. A hole is closed, which makes whoever is behind it move. */
export function observedSlots(members: Iterable<RawEntry>): MemberSlots {
  const rows = Array.from(members, ({ key, value }) => ({
    ...memberKeyCodec.decode(key),
    ifindex: u32Codec.decode(value),
  }));
  const slots = new MemberSlots();
  for (const { network, ifindex } of rows.sort((a, b) => a.slot - b.slot)) slots.add(network, ifindex);
  return slots;
}
