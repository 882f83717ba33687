import { formatPrefix, parsePrefix } from '../../model/address.ts';

/** In a map's half: nothing holds the address, and it is the host's or the world's. */
const nobodys = 0;

const mappedLength = 96;

/** The identity of the longest prefix that holds all of this one, itself apart; 0: there is none. */
export function shorterBlock(blocks: ReadonlyMap<string, number>, cidr: string): number {
  const { address, prefixLength } = parsePrefix(cidr);
  const shortest = cidr.includes(':') ? 0 : mappedLength;
  for (let length = prefixLength - 1; length >= shortest; length--) {
    const identity = blocks.get(textOf(address, length, cidr.includes(':')));
    if (identity !== undefined) return identity;
  }
  return nobodys;
}

function textOf(address: Uint8Array, length: number, v6: boolean): string {
  const text = formatPrefix({ address, prefixLength: length });
  // formatPrefix writes what lies within ::ffff:0:0/96 as IPv4; such an IPv6 prefix is none of this host's.
  return v6 && !text.includes(':') ? `${text} as IPv6` : text;
}
