import { z } from 'zod';
import type { Immutable } from './immutable.ts';

export const nodeView = z.object({
  name: z.string(),
  version: z.string().describe("of Vetch's daemon there"),
  addresses: z.array(z.string()).describe('of its uplinks, without prefix length'),
  tunnel: z.string().optional().describe('where it takes in what others tunnel to it; absent: nowhere'),
  wireguard: z
    .array(z.object({ publicKey: z.string().describe('X25519, base64'), port: z.number().describe('UDP') }))
    .optional()
    .describe('keys that it takes in what networks encrypt by, the newest last; absent: it cannot'),
  rotating: z.boolean().describe('it changes its key: the old one goes when no other host uses it'),
  started: z.string().describe('when its daemon did, RFC 3339'),
});

export type NodeView = Immutable<z.output<typeof nodeView>>;
