import { z } from 'zod';
import { cidrOrAddress } from './common.ts';
import type { Immutable } from './immutable.ts';

/** As many as the map `deny_list` holds by default. */
export const maxDenyPrefixes = 131_072;

export const denyRequest = z.strictObject({
  cidrs: z
    .array(cidrOrAddress)
    .min(1, 'must hold at least one prefix')
    .max(maxDenyPrefixes, `must hold at most ${maxDenyPrefixes} prefixes`),
});

export const denyView = z.object({
  cidr: z.string(),
  packets: z.int().describe('dropped because of it'),
});

export type DenyRequest = Immutable<z.output<typeof denyRequest>>;
export type DenyView = Immutable<z.output<typeof denyView>>;
