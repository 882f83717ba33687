import { z } from 'zod';
import { cidr, ipAddress, objectName, textMap } from './common.ts';
import type { Immutable } from './immutable.ts';

export const createNetworkRequest = z.strictObject({
  name: objectName,
  driver: objectName.default('bridge').describe('bridge unless given'),
  subnets: z.array(cidr).max(2, 'at most one subnet of each family').default([]),
  gateways: z.array(ipAddress).max(2, 'at most one gateway of each family').default([]),
  ipRange: cidr.optional().describe('where automatic addresses come from; inside its subnet'),
  auxAddresses: z.record(z.string().min(1).max(128), ipAddress).default({}).describe('never handed out, by name'),
  ipv6: z.boolean().default(false).describe('also an IPv6 subnet, chosen when none is given'),
  internal: z.boolean().default(false).describe('no way out and no way in'),
  mtu: z.int('must be a whole number').min(576, 'must be 576 to 65535').max(65535, 'must be 576 to 65535').optional(),
  options: textMap.default({}),
  labels: textMap.default({}),
});

export const networkView = z.object({
  id: z.string(),
  name: z.string(),
  driver: z.string(),
  subnets: z.array(z.string()),
  gateways: z.array(z.string()),
  mtu: z.int(),
  internal: z.boolean(),
  options: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  endpoints: z.array(z.string()).describe('names'),
});

/** As the engine receives it: defaults are filled in. */
export type CreateNetworkRequest = Immutable<z.output<typeof createNetworkRequest>>;
/** As a client may send it. */
export type CreateNetworkInput = Immutable<z.input<typeof createNetworkRequest>>;
export type NetworkView = Immutable<z.output<typeof networkView>>;
