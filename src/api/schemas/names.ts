import { z } from 'zod';
import { ipAddress } from './common.ts';
import type { Immutable } from './immutable.ts';

export const namedNetwork = z.object({
  event: z.literal('network'),
  id: z.string(),
  name: z.string(),
  internal: z.boolean(),
  subnets: z.array(z.string()),
  gateways: z.array(z.string()).describe('those of the host on which its questions are answered'),
  names: z.boolean().default(true).describe('whether its names are answered there; if not, an engine answers for them'),
});

export const namedEndpoint = z.object({
  event: z.literal('endpoint'),
  id: z.string(),
  network: z.string().describe("the network's id"),
  name: z.string(),
  addresses: z.array(z.string()).describe('without prefix length'),
  sandbox: z.string().describe('equal for the endpoints of one container; empty when not known'),
  domains: z
    .array(z.string())
    .default([])
    .describe('policy lets it reach these domain names, and *.NAMEs: their answers are told before they are given'),
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

/** An answer that an endpoint is about to be given. */
export const learnAnswerRequest = z.strictObject({
  network: z.string().max(64, 'must be at most 64 characters').describe("the network's id"),
  source: ipAddress.describe('that the question came from'),
  name: z.string().min(1, 'must not be empty').max(255, 'must be at most 255 characters'),
  addresses: z
    .array(z.strictObject({ address: ipAddress, ttl: z.int('must be a whole number').min(0, 'must not be negative') }))
    .min(1, 'must not be empty')
    .max(512, 'must be at most 512'),
});

export const openedView = z.object({
  opened: z.array(z.string()),
  refused: z.array(z.string()).describe('never opened by a name: of the host, its networks, or metadata; or no room'),
});

export const learnedView = z.object({
  endpoint: z.string(),
  network: z.string(),
  address: z.string(),
  names: z.array(z.string()).describe('the domain names that it was told for'),
  ttl: z.int().nullable().describe('seconds; null: no answer holds, and connections that are there go on'),
});

export type LearnAnswerRequest = Immutable<z.output<typeof learnAnswerRequest>>;
export type OpenedView = Immutable<z.output<typeof openedView>>;
export type LearnedView = Immutable<z.output<typeof learnedView>>;
