import { z } from 'zod';
import { reference } from './common.ts';
import { verdict } from './flow.ts';
import type { Immutable } from './immutable.ts';

/** The programs that a packet can be given to, by name. */
export const traceHooks = [
  'from_endpoint',
  'from_host',
  'from_lan',
  'from_parent',
  'from_uplink',
  'xdp_uplink',
] as const;

/** `80/tcp`; `80` is tcp's; `icmp` an echo request of the family in question. */
export const tracePort = z
  .string()
  .toLowerCase()
  .regex(/^([0-9]{1,5}(\/(tcp|udp|sctp))?|icmp)$/, 'must be a port such as 80/tcp, or icmp');

export const traceRequest = z.union([
  z.strictObject({ from: reference, to: reference, port: tracePort }),
  z.strictObject({
    packet: z
      .string()
      .min(28, 'must be at least 14 bytes')
      .max(131_072, 'must be at most 65536 bytes')
      .regex(/^([0-9a-fA-F]{2})+$/, 'must be hex digits, two a byte'),
    at: z.enum(traceHooks, `must be one of ${traceHooks.join(', ')}`),
  }),
]);

export const traceStepView = z.object({
  hook: z.string(),
  action: z.string().describe('lower case: conntrack_miss, published, to_endpoint'),
  detail: z.string(),
});

export const traceView = z.object({
  verdict,
  reason: z.string().nullable().describe('null unless dropped'),
  steps: z.array(traceStepView),
  packetOut: z.string().nullable().describe('hex; null unless a packet goes on'),
});

export type TraceRequest = Immutable<z.output<typeof traceRequest>>;
export type TraceHook = (typeof traceHooks)[number];
export type TraceStepView = Immutable<z.output<typeof traceStepView>>;
export type TraceView = Immutable<z.output<typeof traceView>>;
