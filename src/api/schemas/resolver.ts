import { z } from 'zod';
import type { Immutable } from './immutable.ts';

export const resolverGateway = z.object({
  network: z.string(),
  address: z.string(),
  error: z.string().nullable().describe('null while queries are answered there'),
});

export const resolverView = z.object({
  version: z.string(),
  pid: z.int(),
  daemon: z.enum(['follows', 'away']).describe('away: the last known names are served'),
  since: z.string().describe('RFC 3339: since when the daemon is so'),
  endpoints: z.int().describe('how many are known by name'),
  gateways: z.array(resolverGateway),
  upstreams: z.array(z.string()),
  queries: z
    .record(z.string(), z.int())
    .describe('answered, nxdomain, forwarded, refused, failed, malformed, foreign, overload, unopened'),
});

/** What the resolver says of itself on its own socket. */
export type ResolverView = Immutable<z.output<typeof resolverView>>;
