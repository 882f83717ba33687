import { VetchError } from '../../api/error.ts';
import type { EngineEndpoint } from '../../integrations/docker/backend.ts';
import { canonicalAddress, withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { checkMac } from '../../network/mac.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { matchPublished, parsePublish } from '../../network/publish.ts';
import { changeHolding } from '../change-cluster.ts';
import type { Context } from '../context.ts';
import { addEndpoint } from '../operations/attach-endpoint.ts';
import { dropEndpoint } from '../operations/endpoints.ts';
import { addPorts, dropPorts } from '../operations/ports.ts';
import type { DockerPools } from './pools.ts';

/**
 * Makes an endpoint whose device Docker moves. One that is there already stays.
 *
 * Docker alone hands out the addresses of its networks. An endpoint that has the same one belongs to a container that an
 * engine has lost in a crash: it goes.
 *
 * @throws VetchError as `attachEndpoint`
 */
export function createDockerEndpoint(
  context: Context,
  pools: DockerPools,
  asked: EngineEndpoint,
  signal: AbortSignal,
): Promise<Endpoint> {
  const { addresses, state } = context;
  return changeHolding(context, asked.id, async (claim) => {
    signal.throwIfAborted();
    const network = pools.joined.networkOf(asked.network) ?? state.index.networks.get(asked.network);
    if (!network) throw missing(pools, asked.network);
    const request = { ...asked, network: network.id };
    const known = state.index.endpoints.get(request.id);
    if (known && isSame(known, request) && context.host.hasDevice(known)) return known;
    if (known) await dropEndpoint(context, known);
    for (const stale of holders(context, network, request)) await dropEndpoint(context, stale);
    const endpoint = planEndpoint(requestOf(request, driverOf(network).capabilities.devices), {
      network,
      endpoints: state.taken,
      id: request.id,
      owner: 'docker',
    });
    addresses.hold(network, endpoint.addresses, claim);
    await addEndpoint(context, endpoint, network, { signal });
    await pools.consume(network, request.addresses.map(canonicalAddress));
    return endpoint;
  });
}

function missing({ joined }: DockerPools, id: string): VetchError {
  const name = joined.get(id)?.network;
  return name === undefined
    ? new VetchError(
        'NOT_FOUND',
        `there is no network ${id.slice(0, 12)}`,
        'make it again with `docker network create`',
      )
    : new VetchError(
        'NOT_FOUND',
        `the cluster has no network ${name} any more`,
        'remove this one with `docker network rm`, and make it again',
      );
}

export async function removeDockerEndpoint(context: Context, id: string, signal: AbortSignal): Promise<void> {
  const { addresses, lock, state } = context;
  const shared = await lock.run(async () => {
    signal.throwIfAborted();
    const endpoint = state.index.endpoints.get(id);
    if (endpoint?.owner !== 'docker') return false;
    const network = state.networkOf(endpoint);
    await dropEndpoint(context, endpoint);
    return spansHosts(network);
  });
  // Whoever starts its container on another host then finds its address free.
  if (shared) await addresses.settle();
}

/** Has exactly these SPECs published, all or none; nothing of an endpoint that is not there. */
export function publishDockerPorts(
  context: Context,
  id: string,
  specs: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { lock, state } = context;
  return lock.run(async () => {
    signal.throwIfAborted();
    const endpoint = state.index.endpoints.get(id);
    if (endpoint?.owner !== 'docker') {
      if (specs.length === 0) return;
      throw new VetchError('NOT_FOUND', `there is no endpoint ${id.slice(0, 12)}`, 'start the container again');
    }
    // Docker, too, ignores ports there: all of them are reached at the container's own address.
    if (!driverOf(state.networkOf(endpoint)).capabilities.publishing) return;
    if (specs.length > 0 && arePublished(endpoint, specs)) return;
    if (endpoint.ports.length > 0) await dropPorts(context, endpoint, endpoint.ports);
    if (specs.length === 0) return;
    const bare = { ...endpoint, ports: [] };
    try {
      await addPorts(context, bare, specs, signal);
    } catch (error) {
      const taken = error instanceof VetchError && error.code === 'PORT_ALLOCATED';
      if (!taken || (await dropDead(context)) === 0) throw error;
      await addPorts(context, bare, specs, signal);
    }
  });
}

/** Removes endpoints with published ports whose sandbox is gone. @returns how many */
async function dropDead(context: Context): Promise<number> {
  const { host, state } = context;
  const dead = [...state.index.endpoints.values()].filter((endpoint) => {
    return endpoint.owner === 'docker' && endpoint.ports.length > 0 && !host.hasDevice(endpoint);
  });
  for (const endpoint of dead) await dropEndpoint(context, endpoint);
  return dead.length;
}

/** Endpoints of Docker's that hold what a new one is to have; of those with its MAC, the dead. */
function holders({ host, state }: Context, network: Network, request: EngineEndpoint): Endpoint[] {
  const found = new Set<Endpoint>();
  for (const address of request.addresses) {
    for (const endpoint of state.index.endpointsAt(canonicalAddress(address))) {
      if (endpoint.network === network.id && endpoint.owner === 'docker') found.add(endpoint);
    }
  }
  const mac = request.mac === undefined ? undefined : checkMac(request.mac);
  if (mac !== undefined && state.taken.network(network.id)?.macs.has(mac)) {
    for (const endpoint of state.index.endpointsOf(network.id).values()) {
      if (endpoint.mac === mac && endpoint.owner === 'docker' && !host.hasDevice(endpoint)) found.add(endpoint);
    }
  }
  return [...found];
}

/**
 * Until the engine is asked for the container's name, an endpoint is called by the first digits of its id.
 *
 * @param devices whether the driver gives devices: the engine chooses a MAC address for what has none, too
 */
function requestOf({ id, network, addresses, mac, options }: EngineEndpoint, devices: boolean) {
  const device = { ...(mac === undefined ? {} : { mac }), ifname: `vs${id.slice(0, 11)}` };
  return {
    network,
    netns: '',
    addresses,
    ...(devices ? device : {}),
    labels: {},
    options,
    publish: [],
  };
}

function isSame(endpoint: Endpoint, { network, addresses, mac }: EngineEndpoint): boolean {
  const own = endpoint.addresses.map(withoutLength);
  const sameMac = mac === undefined || checkMac(mac) === endpoint.mac;
  return (
    endpoint.network === network && sameMac && addresses.every((address) => own.includes(canonicalAddress(address)))
  );
}

function arePublished({ ports }: Endpoint, specs: readonly string[]): boolean {
  return specs.every((spec) => matchPublished(parsePublish(spec), ports).length > 0);
}
