import { familyOf, withoutLength } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Service } from '../model/service.ts';
import type { BackendHealth } from './health.ts';
import { weightOf } from './selection.ts';

export interface Backend {
  readonly endpoint: Endpoint;
  /** Of the virtual address's family, without prefix length. */
  readonly address: string;
  readonly weight: number;
  readonly healthy: boolean;
}

/** The selected endpoints that have an address of the service's family. */
export function backendsOf(service: Service, selected: Iterable<Endpoint>, health: BackendHealth): Backend[] {
  const backends: Backend[] = [];
  for (const endpoint of selected) {
    const cidr = endpoint.addresses.find((address) => familyOf(address) === familyOf(service.vip));
    if (cidr === undefined) continue;
    const healthy = health.isHealthy(service.id, endpoint.id);
    backends.push({ endpoint, address: withoutLength(cidr), weight: weightOf(endpoint), healthy });
  }
  return backends.sort((a, b) => (a.endpoint.name < b.endpoint.name ? -1 : 1));
}
