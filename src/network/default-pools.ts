import { createHash } from 'node:crypto';
import { VetchError } from '../api/error.ts';
import type { IntervalSet } from './interval-set.ts';
import { numberAddress, spanOf } from './span.ts';

/** Where subnets come from when none is asked for: `base` is cut into blocks of `size`. */
export interface DefaultPool {
  /** Canonical prefix. */
  readonly base: string;
  /** Prefix length of a block, as written: 16 of 10.88.0.0/16. */
  readonly size: number;
}

/**
 * IPv4 pools, tried in this order: twenty-three /16s, then small blocks, so that thousands of networks find a place.
 *
 * 172.17.0.0/16 and up are Docker's own defaults, and 10.96.0.0/12 is left to Kubernetes' services.
 */
export const defaultPools4: readonly DefaultPool[] = [
  { base: '10.88.0.0/13', size: 16 },
  { base: '172.24.0.0/13', size: 16 },
  { base: '172.17.0.0/16', size: 16 },
  { base: '172.18.0.0/15', size: 16 },
  { base: '172.20.0.0/14', size: 16 },
  { base: '10.128.0.0/9', size: 20 },
  { base: '192.168.0.0/16', size: 24 },
];

/**
 * A unique local /48, cut into /64s (RFC 4193).
 *
 * `seed` stands for the host: the same seed gives the same 40 bits, and two hosts that are joined one day do not meet.
 */
export function defaultPool6(seed: string): DefaultPool {
  const hex = createHash('sha256').update(seed).digest('hex');
  return { base: `fd${hex.slice(0, 2)}:${hex.slice(2, 6)}:${hex.slice(6, 10)}::/48`, size: 64 };
}

/** The first block that overlaps nothing `blocked`. @throws VetchError SUBNET_OVERLAP: none is left */
export function chooseSubnet(pools: readonly DefaultPool[], blocked: IntervalSet): string {
  for (const { base, size } of pools) {
    const span = spanOf(base);
    const width = 1n << BigInt((span.family === 4 ? 32 : 128) - size);
    for (let first = span.first; first <= span.last; ) {
      // Skips all of what is in the way at once, not a block at a time.
      const free = blocked.lowestFree(first, span.last);
      if (free === undefined) break;
      first = span.first + ((free - span.first + width - 1n) / width) * width;
      if (first > span.last) break;
      if (!blocked.overlaps(first, first + width - 1n)) return `${numberAddress(first)}/${size}`;
      first += width;
    }
  }
  const bases = pools.map(({ base }) => base).join(', ');
  throw new VetchError(
    'SUBNET_OVERLAP',
    `every default subnet (${bases}) overlaps a network or a route of this host`,
    'choose a subnet with --subnet',
  );
}
