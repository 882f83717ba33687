import { z } from 'zod';
import type { Immutable } from './immutable.ts';

export const namedNetwork = z.object({
  event: z.literal('network'),
  id: z.string(),
  name: z.string(),
  internal: z.boolean(),
  subnets: z.array(z.string()),
  gateways: z.array(z.string()).describe('those that the host itself has'),
});

export const namedEndpoint = z.object({
  event: z.literal('endpoint'),
  id: z.string(),
  network: z.string().describe("the network's id"),
  name: z.string(),
  addresses: z.array(z.string()).describe('without prefix length'),
  sandbox: z.string().describe('equal for the endpoints of one container; empty when not known'),
});

/**
 * One line of `/names`: first everything that is there, then `synced`, then what changes. A line replaces what was said
 * before of the same id.
 */
export const nameEvent = z.discriminatedUnion('event', [
  namedNetwork,
  namedEndpoint,
  z.object({ event: z.literal('removed'), id: z.string() }),
  z.object({ event: z.literal('synced') }),
]);

export type NamedNetwork = Immutable<z.output<typeof namedNetwork>>;
export type NamedEndpoint = Immutable<z.output<typeof namedEndpoint>>;
export type NameEvent = Immutable<z.output<typeof nameEvent>>;
