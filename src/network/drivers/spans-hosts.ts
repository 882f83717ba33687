import type { Network } from '../../model/network.ts';
import { driverOf } from './registry.ts';

/** Whether a network is the whole cluster's: one range of addresses and one number on all hosts. */
export function spansHosts(network: Pick<Network, 'driver'>): boolean {
  return driverOf(network).capabilities.multiHost;
}
