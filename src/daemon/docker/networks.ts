import { VetchError } from '../../api/error.ts';
import type { CreateNetworkRequest } from '../../api/schemas/network.ts';
import { planNetwork } from '../../network/plan-network.ts';
import type { Context } from '../context.ts';
import { dropEndpoint } from '../operations/endpoints.ts';
import { dropNetwork, makeNetwork, parentOf } from '../operations/networks.ts';
import { joinNetwork } from './join-network.ts';
import type { DockerPools } from './pools.ts';

/** A network of Docker's id; one that is there already stays. @throws VetchError as `createNetwork` */
export function createDockerNetwork(
  context: Context,
  pools: DockerPools,
  id: string,
  request: CreateNetworkRequest,
  signal: AbortSignal,
): Promise<void> {
  const { host, lock, state } = context;
  if (request.options['vetch.driver'] === 'overlay') return joinNetwork(context, pools, id, request, signal);
  return lock.run(async () => {
    signal.throwIfAborted();
    const known = state.index.networks.get(id);
    if (known && same(known.subnets, request.subnets)) return;
    if (known) {
      throw new VetchError('ALREADY_EXISTS', `network ${known.name} has other subnets already`, 'remove it first');
    }
    if (request.driver === 'host' || request.options['vetch.driver'] === 'host') {
      throw new VetchError(
        'UNSUPPORTED',
        "Docker gives every container of this network a namespace of its own, and never the host's",
        'use `docker run --network host`: such containers are under policy',
      );
    }
    refuseClusterPools(pools, request);
    const networks = state.index.networks.values();
    const network = planNetwork(request, {
      ...{ networks, hostRoutes: host.foreignRoutes(), id, owner: 'docker' },
      ...parentOf(host, request.options),
    });
    await makeNetwork(context, network);
  });
}

/**
 * With its endpoints: the engine removes none before they are gone from its own books. Of one that stands for a network of
 * the cluster the cluster keeps the network, and this host, too.
 */
export function removeDockerNetwork(
  context: Context,
  pools: DockerPools,
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const { joined } = pools;
  const { lock, state } = context;
  return lock.run(async () => {
    signal.throwIfAborted();
    if (joined.get(id)) {
      const shared = joined.networkOf(id)?.id ?? '';
      const own = [...state.index.endpointsOf(shared).values()].filter(({ owner }) => owner === 'docker');
      for (const endpoint of own) await dropEndpoint(context, endpoint);
      return joined.remove(id);
    }
    const network = state.index.networks.get(id);
    if (network?.owner !== 'docker') return;
    for (const endpoint of [...state.index.endpointsOf(id).values()]) await dropEndpoint(context, endpoint);
    await dropNetwork(context, network);
  });
}

/** Addresses of the cluster's are of no use to a network of this host's own. */
function refuseClusterPools({ held }: DockerPools, { subnets }: CreateNetworkRequest): void {
  const pool = held.pools.findLast(
    ({ cidr, told, network }) => network !== undefined && subnets.includes(told ?? cidr),
  );
  if (!pool) return;
  throw new VetchError(
    'INVALID',
    `--ipam-opt vetch.network=${pool.network} is for networks of driver overlay`,
    `give -o vetch.driver=overlay -o vetch.network=${pool.network} too, or leave it out`,
  );
}

function same(subnets: readonly { readonly cidr: string }[], asked: readonly string[]): boolean {
  return subnets.length === asked.length && subnets.every(({ cidr }) => asked.includes(cidr));
}
