import { z } from 'zod';
import { portText, reference, repeated } from './common.ts';
import type { Immutable } from './immutable.ts';

export const conntrackStates = ['NEW', 'REPLIED', 'ESTABLISHED', 'CLOSING', 'CLOSED', 'REFUSED'] as const;

/** One flag repeated is OR, different flags are AND; an empty filter is every flow. */
export const conntrackFilter = z.strictObject({
  endpoint: repeated(reference).describe('either end'),
  from: repeated(reference).describe('the end that began the flow'),
  to: repeated(reference).describe('the other end'),
  port: repeated(portText).describe('destination port, before or after translation'),
  protocol: repeated(
    z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9-]+$/, 'must be a protocol such as tcp'),
  ),
  network: repeated(reference),
  state: repeated(
    z
      .string()
      .toUpperCase()
      .pipe(z.enum(conntrackStates, `must be one of ${conntrackStates.join(', ')}`)),
  ),
});

export const tupleEnd = z.object({
  ip: z.string(),
  port: z.int().describe('ICMP echo: the identifier'),
});

export const conntrackView = z.object({
  protocol: z.string().describe('lower case: tcp, udp, sctp, icmp, icmpv6, or its number'),
  source: tupleEnd.describe('original direction, as its sender sees it'),
  destination: tupleEnd,
  translated: z
    .object({ source: tupleEnd, destination: tupleEnd })
    .nullable()
    .describe('the same flow as its receiver sees it; null where nothing is translated'),
  state: z.enum(conntrackStates),
  packets: z.int().describe('of both directions'),
  bytes: z.int().describe('of both directions'),
  ageSeconds: z.number(),
  expiresSeconds: z.number().describe('if no more packets come'),
  network: z.string().nullable().describe("the network it was begun in; null on the host's own wire"),
});

export const conntrackFlushed = z.object({ flushed: z.int() });

export type ConntrackFilter = Immutable<z.output<typeof conntrackFilter>>;
export type ConntrackState = (typeof conntrackStates)[number];
export type TupleEnd = Immutable<z.output<typeof tupleEnd>>;
export type ConntrackView = Immutable<z.output<typeof conntrackView>>;
export type ConntrackFlushed = Immutable<z.output<typeof conntrackFlushed>>;
