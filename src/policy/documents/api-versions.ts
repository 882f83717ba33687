import type { PolicySource } from '../../model/policy.ts';

/** `kind` to its API version. */
export const apiVersions = {
  NetworkPolicy: 'networking.k8s.io/v1',
  ClusterNetworkPolicy: 'policy.networking.k8s.io/v1alpha2',
} as const satisfies Record<PolicySource['kind'], string>;

/** `namespace/name`, or the name of what has no namespace. */
export function qualified(source: Pick<PolicySource, 'namespace' | 'name'>): string {
  return source.namespace === '' ? source.name : `${source.namespace}/${source.name}`;
}
