import { z } from 'zod';
import { portText, reference, repeated, timestamp } from './common.ts';
import type { Immutable } from './immutable.ts';

export const verdicts = ['FORWARDED', 'DROPPED', 'AUDIT'] as const;
export const verdict = z.enum(verdicts, `must be one of ${verdicts.join(', ')}`);

/** The filters, by the name of their flag. Each holds the values of a flag given once or several times. */
const filterFields = {
  verdict: repeated(z.string().toUpperCase().pipe(verdict)),
  reason: repeated(
    z
      .string()
      .toUpperCase()
      .regex(/^[A-Z0-9_]+$/, 'must be a drop reason such as SPOOFED'),
  ),
  from: repeated(reference).describe('source'),
  to: repeated(reference).describe('destination'),
  port: repeated(portText).describe('source or destination port'),
  protocol: repeated(
    z
      .string()
      .toLowerCase()
      .regex(/^[a-z0-9-]+$/, 'must be a protocol such as tcp'),
  ),
  network: repeated(reference),
};

/**
 * An empty list says nothing. In `include` a flow must match one value of every list that says something;
 * in `exclude` it must match no value of any list.
 */
export const flowFilter = z.strictObject(filterFields);
export const flowFilterNames = ['verdict', 'reason', 'from', 'to', 'port', 'protocol', 'network'] as const;

export const flowQuery = z.strictObject({
  follow: z.boolean().default(false).describe('goes on with what happens from now on, until the client leaves'),
  last: z
    .int()
    .min(0)
    .optional()
    .describe(
      'only the newest so many of those that match, oldest first; absent: all that are held, or none with follow',
    ),
  since: timestamp.optional(),
  until: timestamp.optional(),
  include: flowFilter,
  exclude: flowFilter,
});

/** The same as text, as it stands in a URL: `follow=true&verdict=DROPPED&not.port=53`. */
export const flowQueryString = z.strictObject({
  follow: z
    .stringbool({ error: 'must be true or false' })
    .default(false)
    .describe(flowQuery.shape.follow.description ?? ''),
  last: z.coerce
    .number('must be a whole number')
    .pipe(z.int('must be a whole number').min(0, 'must not be negative'))
    .optional(),
  since: timestamp.optional(),
  until: timestamp.optional(),
  ...filterFields,
  'not.verdict': filterFields.verdict,
  'not.reason': filterFields.reason,
  'not.from': filterFields.from,
  'not.to': filterFields.to,
  'not.port': filterFields.port,
  'not.protocol': filterFields.protocol,
  'not.network': filterFields.network,
});

export function flowQueryFrom(text: z.output<typeof flowQueryString>): FlowQuery {
  const { verdict, reason, from, to, port, protocol, network, ...rest } = text;
  return {
    follow: rest.follow,
    ...(rest.last === undefined ? {} : { last: rest.last }),
    ...(rest.since === undefined ? {} : { since: rest.since }),
    ...(rest.until === undefined ? {} : { until: rest.until }),
    include: { verdict, reason, from, to, port, protocol, network },
    exclude: {
      verdict: rest['not.verdict'],
      reason: rest['not.reason'],
      from: rest['not.from'],
      to: rest['not.to'],
      port: rest['not.port'],
      protocol: rest['not.protocol'],
      network: rest['not.network'],
    },
  };
}

export const decidedBy = z.object({
  kind: z.string(),
  namespace: z.string().nullable(),
  name: z.string(),
  rule: z.union([z.string(), z.int()]).nullable(),
});

export const flowEnd = z.object({
  ip: z.string(),
  port: z.int().nullable().describe('null where the protocol has none'),
  endpoint: z.string().nullable().describe('name; null where it is none of ours'),
  identity: z.int(),
  labels: z.record(z.string(), z.string()),
});

export const flowView = z.object({
  time: z.string().describe('RFC 3339 UTC'),
  verdict,
  reason: z.string().nullable().describe('null unless dropped'),
  source: flowEnd,
  destination: flowEnd,
  protocol: z.string().describe('lower case: tcp, udp, sctp, icmp, icmpv6, arp, or its number'),
  tcpFlags: z.array(z.string()).describe('as SYN, ACK; empty unless tcp'),
  network: z.string().nullable().describe("name; null on the host's own wire"),
  node: z.string(),
  decidedBy: decidedBy.nullable(),
});

export type Verdict = (typeof verdicts)[number];
export type FlowFilter = Immutable<z.output<typeof flowFilter>>;
export type FlowQuery = Immutable<z.output<typeof flowQuery>>;
export type DecidedBy = Immutable<z.output<typeof decidedBy>>;
export type FlowEnd = Immutable<z.output<typeof flowEnd>>;
export type FlowView = Immutable<z.output<typeof flowView>>;
