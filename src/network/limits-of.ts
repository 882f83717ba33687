import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { driverOf } from './drivers/registry.ts';
import { type Rates, ratesOf } from './rates.ts';

/** What limits an endpoint; one without a device of its own has none, whatever an engine's labels say. */
export function limitsOf(endpoint: Endpoint, network: Network): Rates {
  return driverOf(network).capabilities.devices ? ratesOf(endpoint, network) : {};
}

/** Whether it has any limit. */
export function isLimited(endpoint: Endpoint, network: Network): boolean {
  const { ingress, egress } = limitsOf(endpoint, network);
  return ingress !== undefined || egress !== undefined;
}
