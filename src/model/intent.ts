import type { ClusterEndpoint, Node } from './cluster.ts';
import type { Endpoint } from './endpoint.ts';
import type { Network } from './network.ts';
import type { Labels, PolicyDocument } from './policy.ts';
import type { Service } from './service.ts';

/** Everything that the user has asked of this host: the one input of `desired`. */
export interface Intent {
  readonly networks: ReadonlyMap<string, Network>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** Prefixes of the XDP deny list, canonical CIDR. */
  readonly deny: ReadonlySet<string>;
  readonly services: ReadonlyMap<string, Service>;
  /** By `policyKey`. */
  readonly policies: ReadonlyMap<string, PolicyDocument>;
  /** Labels of policy's namespaces, by name; one without labels need not be there. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** The other hosts of the cluster that are there, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  /** Endpoints of the cluster's networks that are on other hosts, by `NODE/ID`. */
  readonly remotes: ReadonlyMap<string, ClusterEndpoint>;
}
