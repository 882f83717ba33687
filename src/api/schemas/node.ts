import { z } from 'zod';
import type { Immutable } from './immutable.ts';

export const nodeView = z.object({
  name: z.string(),
  version: z.string().describe("of Vetch's daemon there"),
  addresses: z.array(z.string()).describe('of its uplinks, without prefix length'),
  tunnel: z.string().optional().describe('where it takes in what others tunnel to it; absent: nowhere'),
  started: z.string().describe('when its daemon did, RFC 3339'),
});

export type NodeView = Immutable<z.output<typeof nodeView>>;
