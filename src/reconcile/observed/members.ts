import { u32Codec } from '../../maps/codec.ts';
import { memberKeyCodec } from '../../maps/generated/abi.ts';
import type { SlotsByNetwork } from '../desired/members.ts';
import type { MapContents } from '../entry.ts';

/** Who is in which slot, as the map says; a hole is passed over, which makes whoever is behind it move. */
export function observedSlots(members: MapContents): SlotsByNetwork {
  const byNetwork = new Map<number, number[]>();
  for (const { key, value } of members.values()) {
    const { network, slot } = memberKeyCodec.decode(key);
    const slots = byNetwork.get(network) ?? [];
    slots[slot] = u32Codec.decode(value);
    byNetwork.set(network, slots);
  }
  return new Map([...byNetwork].map(([network, slots]) => [network, slots.filter((ifindex) => ifindex !== undefined)]));
}
