import { VetchError } from '../../api/error.ts';
import type { CreateNetworkRequest } from '../../api/schemas/network.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { planNetwork } from '../../network/plan-network.ts';
import type { Context } from '../context.ts';
import { dropEndpoint } from '../operations/endpoints.ts';
import { dropNetwork, makeNetwork, parentOf } from '../operations/networks.ts';

/** A network of Docker's id; one that is there already stays. @throws VetchError as `createNetwork` */
export function createDockerNetwork(
  context: Context,
  id: string,
  request: CreateNetworkRequest,
  signal: AbortSignal,
): Promise<void> {
  const { host, lock, state } = context;
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
    const networks = state.index.networks.values();
    const network = planNetwork(request, {
      ...{ networks, hostRoutes: host.foreignRoutes(), id, owner: 'docker' },
      ...parentOf(host, request.options),
    });
    if (spansHosts(network)) {
      throw new VetchError(
        'UNSUPPORTED',
        `network ${network.name} of driver ${network.driver} would span hosts, and each engine numbers its containers by itself`,
        'make it with `vetch network create --driver overlay`, and attach containers with `vetch endpoint attach`',
      );
    }
    await makeNetwork(context, network);
  });
}

/** With its endpoints: the engine removes none before they are gone from its own books. */
export function removeDockerNetwork(context: Context, id: string, signal: AbortSignal): Promise<void> {
  const { lock, state } = context;
  return lock.run(async () => {
    signal.throwIfAborted();
    const network = state.index.networks.get(id);
    if (network?.owner !== 'docker') return;
    for (const endpoint of [...state.index.endpointsOf(id).values()]) await dropEndpoint(context, endpoint);
    await dropNetwork(context, network);
  });
}

function same(subnets: readonly { readonly cidr: string }[], asked: readonly string[]): boolean {
  return subnets.length === asked.length && subnets.every(({ cidr }) => asked.includes(cidr));
}
