import type { DockerBackend } from '../../integrations/docker/backend.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import type { Context } from '../context.ts';
import { createDockerEndpoint, publishDockerPorts, removeDockerEndpoint } from './endpoints.ts';
import { createDockerNetwork, removeDockerNetwork } from './networks.ts';
import type { DockerPools } from './pools.ts';

/** What Docker's plugin asks of the daemon. */
export function dockerBackend(context: Context, pools: DockerPools): DockerBackend {
  const { index } = context.state;
  const ownedBy = <Owned extends { readonly owner: string }>(object: Owned | undefined) =>
    object?.owner === 'docker' ? object : undefined;
  return {
    network(id) {
      // The network of an endpoint may be one of the cluster, under the cluster's id.
      const network = pools.joined.networkOf(id) ?? index.networks.get(id);
      return network && spansHosts(network) ? network : ownedBy(network);
    },
    endpoint: (id) => ownedBy(index.endpoints.get(id)),
    interfacePrefix: (network) => driverOf(network).defaults(network.options).ifnamePrefix,
    createNetwork: (id, request, signal) => createDockerNetwork(context, pools, id, request, signal),
    removeNetwork: (id, signal) => removeDockerNetwork(context, pools, id, signal),
    createEndpoint: (request, signal) => createDockerEndpoint(context, pools, request, signal),
    removeEndpoint: (id, signal) => removeDockerEndpoint(context, id, signal),
    publish: (id, specs, signal) => publishDockerPorts(context, id, specs, signal),
    requestPool: (request, signal) => pools.request(request, signal),
    releasePool: (id) => pools.release(id),
    requestAddress: ({ pool, address, gateway }, signal) => pools.requestAddress(pool, address, gateway, signal),
    releaseAddress: (pool, address) => pools.releaseAddress(pool, address),
  };
}
