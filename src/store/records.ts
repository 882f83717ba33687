import { z } from 'zod';
import { parseAddress, parseMac, withoutLength } from '../model/address.ts';
import type { ClusterEndpoint, HeldAddress, Node, NumberedIdentity } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { ClusterNetworkPolicySpec, NetworkPolicySpec, PolicyDocument } from '../model/policy.ts';
import type { Service } from '../model/service.ts';

/**
 * The shape of records that this version writes. It goes up with each change that an older version could not read.
 *
 * 2: policies and namespaces. Records of 1 are read as they are; but a version that knows no policies would leave open
 * what they close, so it must refuse a state that may hold some.
 * 3: networks that are encrypted, likewise: a version that knows no encryption would send what they carry in the clear.
 */
export const recordSchema = 3;

const owner = z.enum(['vetch', 'docker', 'cni']);
const texts = z.record(z.string(), z.string()).readonly();
const port = z.int().min(1).max(65535);

const subnet = z.object({
  cidr: z.string(),
  gateway: z.string(),
  range: z.string().exactOptional(),
  aux: texts,
});

const network = z.object({
  id: z.string().min(1),
  number: z.int().min(1),
  name: z.string().min(1),
  driver: z.enum(['bridge', 'overlay', 'macvlan', 'ipvlan', 'host', 'none']),
  owner,
  subnets: z.array(subnet).readonly(),
  mtu: z.int().min(1),
  internal: z.boolean(),
  options: texts,
  labels: texts,
  created: z.string(),
}) satisfies z.ZodType<Network>;

const publishedPort = z.object({
  protocol: z.enum(['tcp', 'udp', 'sctp']),
  hostAddress: z.string(),
  hostPort: z.int().min(0).max(65535),
  port,
  scope: z.literal('cluster').exactOptional(),
  // A version that does not know it takes the way by the host that was asked, which each leaves open.
  return: z.literal('direct').exactOptional(),
});

const endpoint = z.object({
  id: z.string().min(1),
  number: z.int().min(1),
  name: z.string().min(1),
  network: z.string().min(1),
  owner,
  ifname: z.string(),
  hostIfname: z.string(),
  mac: z.string(),
  addresses: z.array(z.string()).readonly(),
  netns: z.string(),
  cgroup: z.string().exactOptional(),
  labels: texts,
  options: texts,
  ports: z.array(publishedPort).readonly(),
  created: z.string(),
}) satisfies z.ZodType<Endpoint>;

const deny = z.object({});

const service = z.object({
  id: z.string().min(1),
  number: z.int().min(1),
  name: z.string().min(1),
  network: z.string().min(1),
  vip: z.string().min(1),
  ports: z.array(z.object({ protocol: z.enum(['tcp', 'udp']), port, targetPort: port })).readonly(),
  select: texts,
  algorithm: z.enum(['maglev', 'random']),
  affinity: z.int().min(0),
  health: z.object({ path: z.string().exactOptional() }).exactOptional(),
  created: z.string(),
}) satisfies z.ZodType<Service>;

/** Checked when it was applied; here only that it is one. */
function spec<Spec extends object>() {
  return z.custom<Spec>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));
}

const policyCommon = {
  name: z.string().min(1),
  number: z.int().min(1).max(65535),
  labels: texts,
  annotations: texts,
};

const policy = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('NetworkPolicy'),
    namespace: z.string().min(1),
    ...policyCommon,
    spec: spec<NetworkPolicySpec>(),
  }),
  z.object({
    kind: z.literal('ClusterNetworkPolicy'),
    namespace: z.literal(''),
    ...policyCommon,
    spec: spec<ClusterNetworkPolicySpec>(),
  }),
]) satisfies z.ZodType<PolicyDocument>;

const namespace = z.object({ labels: texts });

const heldAddress = z.object({
  network: z.string().min(1),
  address: z.string().min(1),
  node: z.string().min(1),
  endpoint: z.string(),
}) satisfies z.ZodType<HeldAddress>;

const identity = z.object({ number: z.int().min(1), key: z.string() }) satisfies z.ZodType<NumberedIdentity>;

/** What another host tells: one record of its that makes no sense is not to keep this one from following all the others. */
function text(read: (text: string) => unknown, what: string) {
  const isReadable = (value: string) => {
    try {
      read(value);
      return true;
    } catch {
      return false;
    }
  };
  return z.string().refine(isReadable, { error: `not ${what}` });
}
const address = text(parseAddress, 'an address');

const node = z.object({
  name: z.string().min(1),
  version: z.string(),
  addresses: z.array(address).readonly(),
  tunnel: address.exactOptional(),
  wireguard: z
    .array(z.object({ publicKey: z.string(), port }))
    .readonly()
    .exactOptional(),
  movedTo: z.array(z.string()).readonly().exactOptional(),
  started: z.string(),
}) satisfies z.ZodType<Node>;

const clusterEndpoint = endpoint.pick({ id: true, name: true, network: true, owner: true, labels: true }).extend({
  node: z.string().min(1),
  mac: text(parseMac, 'a MAC address'),
  addresses: z.array(text((value) => parseAddress(withoutLength(value)), 'an address')).readonly(),
  ports: z.array(publishedPort.extend({ hostAddress: address })).readonly(),
}) satisfies z.ZodType<ClusterEndpoint>;

/** The kinds of record there are. */
export const recordTypes = {
  networks: network,
  endpoints: endpoint,
  deny,
  services: service,
  policies: policy,
  namespaces: namespace,
  addresses: heldAddress,
  identities: identity,
  nodes: node,
  'cluster-endpoints': clusterEndpoint,
};
export type RecordKind = keyof typeof recordTypes;
export type RecordOf<Kind extends RecordKind> = z.output<(typeof recordTypes)[Kind]>;

/** Takes a record of one schema to the next. */
export type Migration = (record: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** `migrations[kind][n]` takes a record of schema n+1 to n+2. A missing one means that nothing changed for that kind. */
export type Migrations = Readonly<Partial<Record<RecordKind, Readonly<Record<number, Migration>>>>>;

export const migrations: Migrations = {};
