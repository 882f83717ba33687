import { z } from 'zod';
import {
  absolutePath,
  interfaceName,
  ipAddress,
  labelKey,
  mac,
  objectName,
  publishSpec,
  reference,
  textMap,
} from './common.ts';
import type { Immutable } from './immutable.ts';
import { endpointPortView } from './port.ts';

/** These words mean something else where an endpoint is named. */
const reserved = ['world', 'host'];

export const endpointName = objectName.refine((name) => !reserved.includes(name), 'must not be "world" or "host"');

export const attachEndpointRequest = z.strictObject({
  network: reference.describe("the network's name or an id's prefix"),
  netns: absolutePath
    .optional()
    .describe("the sandbox's network namespace, as /var/run/netns/web; of a host network none"),
  name: endpointName.optional().describe('made from its id unless given'),
  addresses: z.array(ipAddress).max(2, 'at most one address of each family').default([]),
  mac: mac.optional(),
  ifname: interfaceName.optional().describe('the first free eth<n> unless given'),
  cgroup: absolutePath.optional().describe('in cgroup2; an endpoint of a host network is what runs in it'),
  labels: textMap.default({}),
  options: textMap.default({}),
  publish: z.array(publishSpec).max(1024, 'at most 1024 specs').default([]),
});

export const labelEndpointRequest = z.strictObject({
  set: textMap.default({}),
  remove: z.array(labelKey).max(1024).default([]),
});

export const endpointView = z.object({
  id: z.string(),
  name: z.string(),
  network: z.string().describe("the network's name"),
  node: z.string().describe('the host that it is on; of another host it has no device here'),
  ifname: z.string(),
  hostIfname: z.string(),
  mac: z.string(),
  addresses: z.array(z.string()).describe('with prefix length'),
  gateways: z.array(z.string()),
  cgroup: z.string().optional().describe('as it was given; of an endpoint of a host network where its processes run'),
  identity: z.int(),
  rates: z
    .object({ ingress: z.int().optional(), egress: z.int().optional() })
    .describe('bits a second that it may receive and send; absent: no limit'),
  labels: z.record(z.string(), z.string()),
  ports: z.array(endpointPortView),
});

/** As the engine receives it: defaults are filled in. */
export type AttachEndpointRequest = Immutable<z.output<typeof attachEndpointRequest>>;
/** As a client may send it. */
export type AttachEndpointInput = Immutable<z.input<typeof attachEndpointRequest>>;
export type LabelEndpointRequest = Immutable<z.output<typeof labelEndpointRequest>>;
export type EndpointView = Immutable<z.output<typeof endpointView>>;
