import { z } from 'zod';

/** Go leaves out what is empty, or writes null. */
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const options = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((value) => value ?? {});

/** Docker's ids are 64 hex digits; nothing else may become one of ours. */
const id = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

const ipamData = z.looseObject({
  Pool: text,
  Gateway: text,
  AuxAddresses: z
    .record(z.string(), z.string())
    .nullish()
    .transform((value) => value ?? {}),
});
const ipamList = z
  .array(ipamData)
  .nullish()
  .transform((value) => value ?? []);

export const networkRef = z.looseObject({ NetworkID: id });
export const endpointRef = z.looseObject({ NetworkID: id, EndpointID: id });

export const createNetwork = z.looseObject({
  NetworkID: id,
  Options: options,
  IPv4Data: ipamList,
  IPv6Data: ipamList,
});

export const createEndpoint = z.looseObject({
  NetworkID: id,
  EndpointID: id,
  Interface: z
    .looseObject({ Address: text, AddressIPv6: text, MacAddress: text })
    .nullish()
    .transform((value) => value ?? { Address: '', AddressIPv6: '', MacAddress: '' }),
  Options: options,
});

export const endpointWithOptions = z.looseObject({ NetworkID: id, EndpointID: id, Options: options });

const port = z.int().min(0).max(65535);

/** One entry of `com.docker.network.portmap`. */
export const portBinding = z.looseObject({
  Proto: z.union([z.literal(6), z.literal(17), z.literal(132)]),
  Port: port.min(1),
  HostIP: text,
  HostPort: port.nullish().transform((value) => value ?? 0),
  HostPortEnd: port.nullish().transform((value) => value ?? 0),
});
export type PortBinding = z.output<typeof portBinding>;

export const requestPool = z.looseObject({
  AddressSpace: text,
  Pool: text,
  SubPool: text,
  Options: options,
  V6: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
});
export const releasePool = z.looseObject({ PoolID: z.string().min(1) });
export const requestAddress = z.looseObject({ PoolID: z.string().min(1), Address: text, Options: options });
export const releaseAddress = z.looseObject({ PoolID: z.string().min(1), Address: z.string() });

export const anything = z.looseObject({});

/** What we answer, by the kind of call. */
export const answers = {
  nothing: z.strictObject({}),
  activate: z.strictObject({ Implements: z.array(z.string()) }),
  networkCapabilities: z.strictObject({ Scope: z.literal('local'), ConnectivityScope: z.literal('local') }),
  endpoint: z.strictObject({ Interface: z.strictObject({ MacAddress: z.string().optional() }) }),
  operInfo: z.strictObject({ Value: z.record(z.string(), z.string()) }),
  join: z.strictObject({
    InterfaceName: z.strictObject({ SrcName: z.string().max(15), DstPrefix: z.string() }).optional(),
    Gateway: z.string().optional(),
    GatewayIPv6: z.string().optional(),
    DisableGatewayService: z.boolean().optional(),
  }),
  allocatedNetwork: z.strictObject({ Options: z.record(z.string(), z.string()) }),
  ipamCapabilities: z.strictObject({ RequiresMACAddress: z.boolean(), RequiresRequestReplay: z.boolean() }),
  addressSpaces: z.strictObject({ LocalDefaultAddressSpace: z.string(), GlobalDefaultAddressSpace: z.string() }),
  pool: z.strictObject({ PoolID: z.string(), Pool: z.string(), Data: z.record(z.string(), z.string()) }),
  address: z.strictObject({ Address: z.string(), Data: z.record(z.string(), z.string()) }),
} as const;
