import { statSync } from 'node:fs';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import { driverOf } from '../network/drivers/registry.ts';
import type { HostParts } from './host-parts.ts';

/** The path of the cgroup that an endpoint is; undefined: it is none, or has none in cgroup2. */
export function cgroupOf(endpoint: Endpoint, { networks }: Pick<Intent, 'networks'>): string | undefined {
  const network = networks.get(endpoint.network);
  return network && driverOf(network).capabilities.cgroups ? endpoint.cgroup : undefined;
}

/** The kernel's number of a cgroup, which no other is given before the next boot; undefined: it is gone. */
export function cgroupId(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/**
 * Looks which cgroups of endpoints are there.
 *
 * @returns whether some have come, gone or been made anew: what follows that is no repair
 */
export function observeCgroups({ cgroups, lost }: HostParts, intent: Intent): boolean {
  const before = new Map(cgroups);
  cgroups.clear();
  for (const endpoint of intent.endpoints.values()) {
    const path = cgroupOf(endpoint, intent);
    if (path === undefined) continue;
    const id = cgroupId(path);
    if (id === undefined) {
      lost.set(endpoint.id, `its cgroup ${path} is gone`);
    } else {
      cgroups.set(path, id);
      lost.delete(endpoint.id);
    }
  }
  return before.size !== cgroups.size || [...cgroups].some(([path, id]) => before.get(path) !== id);
}
