import { VetchError } from '../../api/error.ts';
import type { CreateNetworkRequest, NetworkView } from '../../api/schemas/network.ts';
import type { Network } from '../../model/network.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { planNetwork } from '../../network/plan-network.ts';
import { networkView } from '../../network/views.ts';
import type { ClusterWriter } from '../../store/cluster-contract.ts';
import { changeCluster } from '../change-cluster.ts';
import { type Context, undoStack } from '../context.ts';
import { refuseForeign } from '../ownership.ts';
import { resolveNetwork } from '../refs.ts';
import type { UndoStack } from '../undo-stack.ts';
import { dropService, servicesOf } from './services.ts';

/** @throws VetchError INVALID, ALREADY_EXISTS, SUBNET_OVERLAP, UNSUPPORTED, MAP_FULL */
export function createNetwork(context: Context, request: CreateNetworkRequest): Promise<NetworkView> {
  const { host, networks } = context;
  return changeCluster(context, async () => {
    const network = planNetwork(request, {
      networks: networks.all,
      hostRoutes: host.foreignRoutes(),
      ...parentOf(host, request.options),
    });
    await makeNetwork(context, network);
    return view(context, network);
  });
}

/**
 * Makes a network that has been planned, here or in the whole cluster. Within `changeCluster`.
 *
 * @throws VetchError MAP_FULL; of a cluster's network ConflictError, UNAVAILABLE
 */
export async function makeNetwork(context: Context, network: Network): Promise<void> {
  if (!spansHosts(network)) return addNetwork(context, network);
  await addClusterNetwork(context, network, (writer) => writer.putNetwork(network));
  context.addresses.addNetwork(network);
  context.addresses.prepare(network);
}

/** Builds a network that has been planned, wholly or not at all. The caller holds the lock. @throws VetchError MAP_FULL */
async function addNetwork(context: Context, network: Network): Promise<void> {
  const { log, store } = context;
  await using undo = undoStack(context);
  undo.push(`forget network ${network.name}`, () => store.deleteNetwork(network.id));
  await store.putNetwork(network);
  await build(context, network, undo);
  undo.commit();
  log.info({ network: network.name, subnets: network.subnets.map(({ cidr }) => cidr) }, 'network created');
}

/**
 * Builds a network of the cluster on this host, wholly or not at all. The caller holds the lock.
 *
 * @param write what the cluster is told then, if it does not have it yet
 * @throws VetchError MAP_FULL, UNAVAILABLE; ConflictError
 */
export async function addClusterNetwork(
  context: Context,
  network: Network,
  write?: (writer: ClusterWriter) => void,
): Promise<void> {
  const { cluster, host, log, state } = context;
  await using undo = undoStack(context);
  await build(context, network, undo);
  if (write) {
    host.encryption.require(network, state.index.networks.values());
    await cluster.transaction(write);
  }
  undo.commit();
  const subnets = network.subnets.map(({ cidr }) => cidr);
  log.info({ network: network.name, subnets }, write ? 'network created' : 'network created by another host');
}

async function build(context: Context, network: Network, undo: UndoStack): Promise<void> {
  const { host, state } = context;
  undo.push(`remove network ${network.name}`, () => host.removeNetwork(network, state.index.networks.values()));
  state.putNetwork(network);
  undo.push(`forget network ${network.name}`, () => state.deleteNetwork(network.id));
  host.addNetwork(network, state.index.networks.values());
  if (wantsProgram(network)) host.attachPrograms(state.index);
  await host.policy.followGateways(state.index.networks.values(), host.facts);
}

/** What a network learns of what carries it: its parent device, where it names one, or the tunnel. */
export function parentOf(host: Context['host'], options: Readonly<Record<string, string>>) {
  const parentMtu = host.parentMtu(options);
  return { ...(parentMtu === undefined ? {} : { parentMtu }), ...host.tunnelMtus };
}

export function listNetworks(context: Context): NetworkView[] {
  return [...context.state.index.networks.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((network) => view(context, network));
}

/** @throws VetchError NOT_FOUND, INVALID */
export function inspectNetwork(context: Context, ref: string): NetworkView {
  return view(context, resolveNetwork(context.state.index, ref));
}

/** @throws VetchError NOT_FOUND, INVALID; IN_USE: it has endpoints, or an engine owns it */
export function removeNetwork(context: Context, ref: string): Promise<void> {
  const { state } = context;
  return changeCluster(context, async () => {
    const network = resolveNetwork(state.index, ref);
    refuseForeign(`network ${network.name}`, network.owner, `docker network rm ${network.name}`);
    const endpoints = [
      ...Array.from(state.index.endpointsOf(network.id).values(), ({ name }) => name),
      ...Array.from(state.index.remotesOf(network.id).values(), ({ name, node }) => `${name} on host ${node}`),
    ];
    if (endpoints.length > 0) {
      const names = endpoints.sort().slice(0, 8);
      throw new VetchError(
        'IN_USE',
        `network ${network.name} has ${endpoints.length} endpoints: ${names.join(', ')}${endpoints.length > 8 ? ' ...' : ''}`,
        'detach them first with `vetch endpoint detach`',
      );
    }
    const service = servicesOf(context, network)[0];
    if (service) {
      throw new VetchError(
        'IN_USE',
        `network ${network.name} has the service ${service.name}`,
        `remove it first with \`vetch service rm ${network.name}/${service.name}\``,
      );
    }
    await loseNetwork(context, network);
  });
}

/** Of a network without endpoints: here, or in the whole cluster. Within `changeCluster`. @throws as `ClusterStore.transaction` */
export async function loseNetwork(context: Context, network: Network): Promise<void> {
  if (spansHosts(network)) {
    await context.cluster.transaction((writer) => writer.deleteNetwork(network.id));
    context.addresses.removeNetwork(network.id);
  }
  await dropNetwork(context, network);
}

/** Of a network without endpoints, on this host. The caller holds the lock. */
export async function dropNetwork(context: Context, network: Network): Promise<void> {
  const { host, log, state, store } = context;
  for (const service of servicesOf(context, network)) await dropService(context, service, network);
  await store.deleteNetwork(network.id);
  state.deleteNetwork(network.id);
  host.removeNetwork(network, state.index.networks.values());
  if (wantsProgram(network)) host.attachPrograms(state.index);
  await host.policy.followGateways(state.index.networks.values(), host.facts);
  log.info({ network: network.name }, 'network removed');
}

/** On its parent device. */
function wantsProgram(network: Network): boolean {
  const { lan, uplink } = planOf(network);
  return lan?.mode === 'shared' || uplink !== undefined;
}

function view({ state }: Context, network: Network): NetworkView {
  const { index } = state;
  const endpoints = [...index.endpointsOf(network.id).values(), ...index.remotesOf(network.id).values()];
  return networkView(
    network,
    endpoints.map(({ name }) => name),
  );
}
