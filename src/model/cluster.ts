import type { Endpoint } from './endpoint.ts';
import type { Network } from './network.ts';
import type { Labels, PolicyDocument } from './policy.ts';
import type { PublishedKey } from './wireguard.ts';

/** A host of the cluster, as it tells the others of itself. */
export interface Node {
  /** `vetch daemon --node`; unique in the cluster. */
  readonly name: string;
  /** Vetch's version. */
  readonly version: string;
  /** Addresses of its uplinks, canonical, without prefix length. */
  readonly addresses: readonly string[];
  /** Where it takes in what other hosts tunnel to it, canonical; absent: nowhere. */
  readonly tunnel?: string;
  /** Keys that it takes in encrypted packets by, the newest last: two while it changes its key. Absent: it cannot, or alone. */
  readonly wireguard?: readonly PublishedKey[];
  /** Of hosts that change their keys, the newest public key of those that it does not send to by an older one any more. */
  readonly movedTo?: readonly string[];
  /** When its daemon started, RFC 3339 UTC. */
  readonly started: string;
}

/** What the other hosts have to know of an endpoint of a cluster's network. */
export interface ClusterEndpoint
  extends Pick<Endpoint, 'id' | 'name' | 'network' | 'owner' | 'mac' | 'addresses' | 'labels' | 'ports'> {
  /** The host that it is on. */
  readonly node: string;
}

/** An address of a cluster's network that a host has: no other host hands it out, whether or not this one is there. */
export interface HeldAddress {
  /** Id of the network. */
  readonly network: string;
  /** Canonical, without prefix length. */
  readonly address: string;
  readonly node: string;
  /** Id of the endpoint that has it; empty: held in advance. */
  readonly endpoint: string;
}

/** The number of one identity on all hosts. */
export interface NumberedIdentity {
  readonly number: number;
  /** What the identity is made of, as canonical text: no two numbers have the same. */
  readonly key: string;
}

/** What the hosts of a cluster have in common. */
export interface ClusterRecords {
  /** Networks of drivers that span hosts, by id. A bridge network is its host's own. */
  readonly networks: ReadonlyMap<string, Network>;
  /** By `addressKey`. */
  readonly addresses: ReadonlyMap<string, HeldAddress>;
  /** By their number, in decimal. */
  readonly identities: ReadonlyMap<string, NumberedIdentity>;
  /** By `policyKey`. */
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  /** Labels of policy's namespaces, by name. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** The other hosts that are there, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** The endpoints of the other hosts that are there, by `NODE/ID`. */
  readonly endpoints: ReadonlyMap<string, ClusterEndpoint>;
}

/** What has changed, by kind and key; `undefined`: it is gone. */
export type ClusterChanges = {
  readonly [Kind in keyof ClusterRecords]: ReadonlyMap<string, ValueOf<ClusterRecords[Kind]> | undefined>;
};

type ValueOf<M> = M extends ReadonlyMap<string, infer Value> ? Value : never;

export function addressKey({ network, address }: Pick<HeldAddress, 'network' | 'address'>): string {
  return `${network}/${address}`;
}
