import type { Network } from '../../model/network.ts';
import { checkReturn } from '../check-return.ts';
import { checkOptions } from '../options.ts';
import { bridgeDriver } from './bridge.ts';
import type { Driver, NetworkPlan } from './contract.ts';
import { isEncrypted } from './encryption.ts';
import { overlayEndpointRules, overlayRules } from './overlay-options.ts';

/**
 * One segment on several hosts: to each of them a bridge network, whose other endpoints are behind a tunnel to the host
 * that they are on.
 */
export const overlayDriver: Driver = {
  ...bridgeDriver,
  name: 'overlay',
  capabilities: { ...bridgeDriver.capabilities, multiHost: true },
  checkNetworkOptions: (options) => {
    checkOptions(overlayRules, options, 'an overlay network');
    checkReturn(options);
  },
  checkEndpointOptions: (options) => checkOptions(overlayEndpointRules, options, 'an endpoint of an overlay network'),
  planNetwork(network: Network): NetworkPlan {
    const plan = bridgeDriver.planNetwork(network);
    return { ...plan, flags: [...plan.flags, 'OVERLAY', ...(isEncrypted(network) ? (['ENCRYPTED'] as const) : [])] };
  },
};
