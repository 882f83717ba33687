import { encoded, u32Codec } from '../../maps/codec.ts';
import {
  blockKeyCodec,
  LearnedFlag,
  learnedHalfCodec,
  learnedKeyCodec,
  policyKeyCodec,
  policyPortKeyCodec,
  standingCodec,
} from '../../maps/generated/abi.ts';
import { formatAddress, isIPv4, parseAddress, parsePrefix } from '../../model/address.ts';
import {
  type LearnedIdentity,
  learnedKey,
  type PolicyPair,
  type PortEntry,
  type Standing,
  type Standings,
} from '../../policy/tables.ts';
import type { RawEntry } from '../entry.ts';

/** Maps whose values say one thing under even permission generations and another under odd ones. */
export type HalvedMap = 'identities' | 'addressBlocks' | 'learned' | 'policy';

/** One entry as one parity has it: half of a value. */
export interface Half extends RawEntry {
  readonly map: HalvedMap;
}

/** Bytes of half a value of each. */
export const halfSize: Readonly<Record<HalvedMap, number>> = {
  identities: standingCodec.size,
  addressBlocks: 4,
  learned: learnedHalfCodec.size,
  policy: 4,
};

/** Prefix lengths of `policy_ports` that stand before a port's own bits. */
const [anyProtocol, anyPort] = [32, 48];

/** The two slots of an endpoint: of its IPv4 address, and of its IPv6 one. */
export function standingHalves(number: number, { v4, v6 }: Standings): readonly [Half, Half] {
  return [standingHalf(2 * number, v4), standingHalf(2 * number + 1, v6)];
}

function standingHalf(slot: number, { identity, flags }: Standing): Half {
  const value = encoded(standingCodec, { identity, flags });
  return { map: 'identities', key: encoded(u32Codec, slot), value };
}

export function blockHalf(cidr: string, identity: number): Half {
  const { address, prefixLength } = parsePrefix(cidr);
  // An IPv6 prefix that holds all of IPv4 is of IPv6 all the same: the text tells.
  const family = cidr.includes(':') || !isIPv4(address) ? 6 : 4;
  const key = encoded(blockKeyCodec, { prefixlen: 32 + prefixLength, family, addr: address });
  return { map: 'addressBlocks', key, value: encoded(u32Codec, identity) };
}

/** @param key of `learnedKey` */
export function learnedHalf(key: string, { identity, expired }: LearnedIdentity): Half {
  const [endpoint, address = ''] = key.split(' ');
  return {
    map: 'learned',
    key: encoded(learnedKeyCodec, { endpoint: Number(endpoint), addr: parseAddress(address) }),
    value: encoded(learnedHalfCodec, { identity, flags: expired ? LearnedFlag.EXPIRED : 0 }),
  };
}

/** The `learnedKey` of a key read back. */
export function decodeLearnedKey(bytes: Uint8Array): string {
  const { endpoint, addr } = learnedKeyCodec.decode(bytes);
  return learnedKey(endpoint, formatAddress(addr));
}

export function decodeLearnedHalf(bytes: Uint8Array): LearnedIdentity {
  const { identity, flags } = learnedHalfCodec.decode(bytes);
  return { identity, expired: (flags & LearnedFlag.EXPIRED) !== 0 };
}

export function pairHalf({ subject, peer, direction, decision }: PolicyPair): Half {
  return {
    map: 'policy',
    key: encoded(policyKeyCodec, { subject, peer, direction }),
    value: encoded(u32Codec, decision),
  };
}

export function portSetEntries(set: number, entries: readonly PortEntry[]): RawEntry[] {
  return entries.map(({ protocol, port, bits, decision }) => ({
    key: encoded(policyPortKeyCodec, { prefixlen: protocol === 0 ? anyProtocol : anyPort + bits, set, protocol, port }),
    value: encoded(u32Codec, decision),
  }));
}

/** A port set's entry read back. */
export function decodePortEntry({ key, value }: RawEntry): { readonly set: number; readonly entry: PortEntry } {
  const { prefixlen, set, protocol, port } = policyPortKeyCodec.decode(key);
  const bits = Math.max(0, prefixlen - anyPort);
  return { set, entry: { protocol, port, bits, decision: u32Codec.decode(value) } };
}
