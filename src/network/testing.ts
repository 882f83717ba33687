import type { AttachEndpointRequest } from '../api/schemas/endpoint.ts';
import type { CreateNetworkRequest } from '../api/schemas/network.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { EndpointIndex } from './endpoint-index.ts';
import { planEndpoint } from './plan-endpoint.ts';
import { type NetworkContext, planNetwork } from './plan-network.ts';

/** For tests: requests as the API hands them on, with the defaults filled in. */
export function networkRequest(more: Partial<CreateNetworkRequest> = {}): CreateNetworkRequest {
  return {
    name: 'frontend',
    driver: 'bridge',
    subnets: [],
    gateways: [],
    auxAddresses: {},
    ipv6: false,
    internal: false,
    options: {},
    labels: {},
    ...more,
  };
}

export function endpointRequest(more: Partial<AttachEndpointRequest> = {}): AttachEndpointRequest {
  return {
    network: 'frontend',
    netns: '/var/run/netns/web',
    addresses: [],
    labels: {},
    options: {},
    publish: [],
    ...more,
  };
}

/** For tests: a network planned among others. */
export function planned(more: Partial<CreateNetworkRequest> = {}, context: Partial<NetworkContext> = {}): Network {
  return planNetwork(networkRequest(more), { networks: [], hostRoutes: [], ...context });
}

/** For tests: an index of one network, and a way to attach to it. */
export function indexOf(network: Network): {
  index: EndpointIndex;
  attach(
    more?: Partial<AttachEndpointRequest>,
    context?: { id?: string; sandboxIfnames?: string[]; reservedMacs?: string[] },
  ): Endpoint;
} {
  const index = EndpointIndex.of({ networks: new Map([[network.id, network]]), endpoints: new Map() });
  return {
    index,
    attach(more = {}, context = {}) {
      const endpoint = planEndpoint(endpointRequest(more), { network, endpoints: index, ...context });
      index.addEndpoint(endpoint);
      return endpoint;
    },
  };
}

/** For tests: what `run` throws, for `toMatchObject({ code })`. */
export function refusal(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return new Error('was not refused');
}
