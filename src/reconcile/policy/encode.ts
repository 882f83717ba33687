import { type Codec, u32Codec } from '../../maps/codec.ts';
import {
  type BlockKey,
  blockKeyCodec,
  LearnedFlag,
  type LearnedHalf,
  type LearnedKey,
  learnedHalfCodec,
  learnedKeyCodec,
  type PolicyHalf,
  type PolicyKey,
  type PolicyPortKey,
  policyHalfCodec,
  policyKeyCodec,
  policyPortKeyCodec,
  standingCodec,
} from '../../maps/generated/abi.ts';
import { formatAddress, isIPv4, parseAddress, parsePrefix } from '../../model/address.ts';
import { type LearnedIdentity, learnedKey, type PortEntry, type Standing } from '../../policy/tables.ts';
import type { RawEntry } from '../entry.ts';

/** Maps whose values say one thing under even permission generations and another under odd ones: the key, and half a value. */
export const halvedMaps = {
  identities: { key: u32Codec, half: standingCodec as Codec<Standing> },
  addressBlocks: { key: blockKeyCodec, half: u32Codec },
  learned: { key: learnedKeyCodec as Codec<LearnedKey>, half: learnedHalfCodec as Codec<LearnedHalf> },
  policy: { key: policyKeyCodec as Codec<PolicyKey>, half: policyHalfCodec as Codec<PolicyHalf> },
} as const;

export type HalvedMap = keyof typeof halvedMaps;

/** Whether an entry is not there under the parity that this half is of. */
export function isAbsent(map: HalvedMap, half: Uint8Array): boolean {
  // Who is cut off has the identity 0, and flags.
  return (map === 'identities' ? half : half.subarray(0, u32Codec.size)).every((byte) => byte === 0);
}

/** What a pair's entry says under a parity; `check` as bpf/abi/policy.h has it. */
export function policyHalf({ subject, peer, direction }: PolicyKey, decision: number): PolicyHalf {
  return { decision, check: (Math.imul(subject, 0x9e37_79b1) ^ ((peer << 1) | direction)) >>> 0 };
}

/** Prefix lengths of `policy_ports` that stand before a port's own bits. */
const [anyProtocol, anyPort] = [32, 48];

export function blockKey(cidr: string): BlockKey {
  const { address, prefixLength } = parsePrefix(cidr);
  // An IPv6 prefix that holds all of IPv4 is of IPv6 all the same: the text tells.
  const family = cidr.includes(':') || !isIPv4(address) ? 6 : 4;
  return { prefixlen: 32 + prefixLength, family, addr: address };
}

/** What a learned address says under a parity; the check in its flags as bpf/lib/policy.h has it. */
export function learnedHalf({ endpoint, addr }: LearnedKey, { identity, expired }: LearnedIdentity): LearnedHalf {
  const words = new DataView(addr.buffer, addr.byteOffset, addr.byteLength);
  let check = endpoint;
  for (let at = 0; at < 16; at += 4) check = Math.imul(check ^ words.getUint32(at, true), 0x9e37_79b1);
  return { identity, flags: ((check & ~LearnedFlag.EXPIRED) | (expired ? LearnedFlag.EXPIRED : 0)) >>> 0 };
}

/** @param text of `learnedKey` */
export function learnedMapKey(text: string): LearnedKey {
  const [endpoint, address = ''] = text.split(' ');
  return { endpoint: Number(endpoint), addr: parseAddress(address) };
}

/** The `learnedKey` of a key read back. */
export function decodeLearnedKey(bytes: Uint8Array): string {
  const { endpoint, addr } = learnedKeyCodec.decode(bytes);
  return learnedKey(endpoint, formatAddress(addr));
}

export function portKey(set: number, { protocol, port, bits }: PortEntry): PolicyPortKey {
  return { prefixlen: protocol === 0 ? anyProtocol : anyPort + bits, set, protocol, port };
}

/** A port set's entry read back. */
export function decodePortEntry({ key, value }: RawEntry): { readonly set: number; readonly entry: PortEntry } {
  const { prefixlen, set, protocol, port } = policyPortKeyCodec.decode(key);
  const bits = Math.max(0, prefixlen - anyPort);
  return { set, entry: { protocol, port, bits, decision: u32Codec.decode(value) } };
}
