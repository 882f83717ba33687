import { z } from 'zod';
import { protocol, publishSpec } from './common.ts';
import type { Immutable } from './immutable.ts';

export const publishRequest = z.strictObject({ spec: publishSpec });

const hostPort = z.int().describe("0: reached at the endpoint's own address, and takes no port of the host");

const scope = z
  .literal('cluster')
  .exactOptional()
  .describe('every host of the cluster leads to it; absent: its own alone');

const returnPath = z
  .literal('direct')
  .exactOptional()
  .describe("the endpoint's host itself answers who asks another one; absent: the one that was asked");

/** A published port as part of its endpoint. */
export const endpointPortView = z.object({
  protocol,
  hostAddress: z.string(),
  hostPort,
  port: z.int(),
  scope,
  return: returnPath,
});

/** A published port on its own; one line for each address of the endpoint that it leads to. */
export const portView = z.object({
  endpoint: z.string(),
  network: z.string(),
  protocol,
  hostAddress: z.string(),
  hostPort,
  address: z.string().describe("the endpoint's, without prefix length"),
  port: z.int(),
  scope,
  return: returnPath,
});

export type PublishRequest = Immutable<z.output<typeof publishRequest>>;
export type EndpointPortView = Immutable<z.output<typeof endpointPortView>>;
export type PortView = Immutable<z.output<typeof portView>>;
