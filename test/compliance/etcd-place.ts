import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { type EtcdClusterOptions, openEtcdCluster } from '../../src/store/etcd/open.ts';

/** Where a cluster lies, as text that a child process can be given. */
export function etcdPlace(endpoints: readonly string[], prefix: string): string {
  return `${endpoints.join(',')}${prefix}`;
}

/** Joins the cluster of a place. */
export function openPlace(place: string, node: string, more: Partial<EtcdClusterOptions> = {}): Promise<ClusterStore> {
  const slash = place.indexOf('/');
  const prefix = place.slice(slash);
  const endpoints = place.slice(0, slash).split(',');
  return openEtcdCluster({ endpoints, prefix, node, instance: `${prefix} ${node}`, ...more });
}
