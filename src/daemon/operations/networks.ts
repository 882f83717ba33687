import { VetchError } from '../../api/error.ts';
import type { CreateNetworkRequest, NetworkView } from '../../api/schemas/network.ts';
import type { Network } from '../../model/network.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { planNetwork } from '../../network/plan-network.ts';
import { networkView } from '../../network/views.ts';
import { type Context, undoStack } from '../context.ts';
import { refuseForeign } from '../ownership.ts';
import { resolveNetwork } from '../refs.ts';
import { dropService, servicesOf } from './services.ts';

/** @throws VetchError INVALID, ALREADY_EXISTS, SUBNET_OVERLAP, UNSUPPORTED, MAP_FULL */
export function createNetwork(context: Context, request: CreateNetworkRequest): Promise<NetworkView> {
  const { host, lock, state } = context;
  return lock.run(async () => {
    const networks = state.index.networks.values();
    const network = planNetwork(request, {
      networks,
      hostRoutes: host.foreignRoutes(),
      ...parentOf(host, request.options),
    });
    await addNetwork(context, network);
    return view(context, network);
  });
}

/** Builds a network that has been planned, wholly or not at all. The caller holds the lock. @throws VetchError MAP_FULL */
export async function addNetwork(context: Context, network: Network): Promise<void> {
  const { host, log, state, store } = context;
  await using undo = undoStack(context);
  undo.push(`forget network ${network.name}`, () => store.deleteNetwork(network.id));
  await store.putNetwork(network);
  undo.push(`remove network ${network.name}`, () => host.removeNetwork(network, state.index.networks.values()));
  state.putNetwork(network);
  undo.push(`forget network ${network.name}`, () => state.deleteNetwork(network.id));
  host.addNetwork(network, state.index.networks.values());
  if (wantsProgram(network)) host.attachPrograms(state.index);
  await host.policy.followGateways(state.index.networks.values(), host.facts);
  undo.commit();
  log.info({ network: network.name, subnets: network.subnets.map(({ cidr }) => cidr) }, 'network created');
}

/** What a network learns of what carries it: its parent device, where it names one, or the tunnel. */
export function parentOf(host: Context['host'], options: Readonly<Record<string, string>>) {
  const { tunnelMtu } = host;
  const parentMtu = host.parentMtu(options);
  return { ...(parentMtu === undefined ? {} : { parentMtu }), ...(tunnelMtu === undefined ? {} : { tunnelMtu }) };
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
  const { lock, state } = context;
  return lock.run(async () => {
    const network = resolveNetwork(state.index, ref);
    refuseForeign(`network ${network.name}`, network.owner, `docker network rm ${network.name}`);
    const endpoints = [...state.index.endpointsOf(network.id).values()];
    if (endpoints.length > 0) {
      const names = endpoints.slice(0, 8).map(({ name }) => name);
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
    await dropNetwork(context, network);
  });
}

/** Of a network without endpoints. The caller holds the lock. */
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
  const names = [...state.index.endpointsOf(network.id).values()].map(({ name }) => name);
  return networkView(network, names);
}
