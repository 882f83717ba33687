import { z } from 'zod';
import type { Immutable } from './immutable.ts';

export const nodeView = z.object({
  name: z.string(),
  version: z.string().describe("of Vetch's daemon there"),
  addresses: z.array(z.string()).describe('of its uplinks, without prefix length'),
  started: z.string().describe('when its daemon did, RFC 3339'),
});

export type NodeView = Immutable<z.output<typeof nodeView>>;
