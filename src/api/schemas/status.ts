import { z } from 'zod';
import type { Immutable } from './immutable.ts';
import { mapView } from './map.ts';

export const statusView = z.object({
  version: z.string(),
  node: z.string(),
  kernel: z.string().describe('release, as uname -r'),
  features: z.record(z.string(), z.boolean()),
  networks: z.int().describe('how many'),
  endpoints: z.int().describe('how many'),
  maps: z.array(mapView),
  drops: z.record(z.string(), z.int()).describe('packets by reason; reasons never met are left out'),
  drift: z.int().describe('repairs since start'),
  warnings: z.array(z.string()),
});

export const doctorCheck = z.object({
  check: z.string(),
  ok: z.boolean(),
  detail: z.string(),
  remedy: z.string().nullable().describe('null when ok'),
});

export const identityView = z.object({
  identity: z.int(),
  name: z.string().nullable().describe('null for endpoints: host, world, remote-node, or an address block of a policy'),
  labels: z.record(z.string(), z.string()).describe('those that tell it from others: some policy asks for them'),
  endpoints: z.array(z.string()).describe('names'),
});

export type StatusView = Immutable<z.output<typeof statusView>>;
export type DoctorCheck = Immutable<z.output<typeof doctorCheck>>;
export type IdentityView = Immutable<z.output<typeof identityView>>;
