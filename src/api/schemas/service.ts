import { z } from 'zod';
import { ipAddress, objectName, portNumber, reference, textMap } from './common.ts';
import type { Immutable } from './immutable.ts';

export const createServiceRequest = z.strictObject({
  name: objectName,
  network: reference.describe("the network's name or an id's prefix"),
  vip: ipAddress.describe('an address of the network that no endpoint has'),
  ports: z
    .array(z.string().max(32, 'must be at most 32 characters').describe('PORT[:TARGETPORT][/tcp|udp]'))
    .min(1, 'must hold at least one port')
    .max(64, 'must hold at most 64 ports'),
  select: textMap.describe('labels that a backend has, all of them'),
  algorithm: z.enum(['maglev', 'random'], 'must be maglev or random').default('maglev'),
  affinity: z
    .int('must be a whole number of seconds')
    .min(0, 'must not be negative')
    .max(86_400, 'must be at most 86400')
    .default(0)
    .describe('seconds for which a client keeps its backend; 0: none'),
  health: z.string().max(1024, 'must be at most 1024 characters').optional().describe('tcp or http:PATH'),
});

export const serviceView = z.object({
  name: z.string(),
  network: z.string().describe("the network's name"),
  vip: z.string(),
  ports: z.array(z.object({ protocol: z.enum(['tcp', 'udp']), port: portNumber, targetPort: portNumber })),
  select: z.record(z.string(), z.string()),
  algorithm: z.enum(['maglev', 'random']),
  affinity: z.int(),
  health: z.string().nullable(),
  backends: z.array(
    z.object({
      endpoint: z.string(),
      address: z.string(),
      weight: z.int().describe('0: it gets no new flows'),
      healthy: z.boolean(),
    }),
  ),
});

export type CreateServiceRequest = Immutable<z.output<typeof createServiceRequest>>;
export type CreateServiceInput = Immutable<z.input<typeof createServiceRequest>>;
export type ServiceView = Immutable<z.output<typeof serviceView>>;
