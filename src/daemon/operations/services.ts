import { randomBytes } from 'node:crypto';
import { VetchError } from '../../api/error.ts';
import type { CreateServiceRequest, ServiceView } from '../../api/schemas/service.ts';
import { familyOf } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import type { Service } from '../../model/service.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { backendsOf } from '../../service/backends.ts';
import { planService } from '../../service/plan-service.ts';
import { serviceView } from '../../service/views.ts';
import { changeHolding } from '../change-cluster.ts';
import { type Context, undoStack } from '../context.ts';
import { resolveNetwork } from '../refs.ts';

/** @throws VetchError NOT_FOUND, INVALID, ALREADY_EXISTS, ADDRESS_TAKEN, ADDRESS_OUTSIDE_POOL, MAP_FULL */
export function createService(context: Context, request: CreateServiceRequest): Promise<ServiceView> {
  const { addresses, host, log, state, store } = context;
  const id = randomBytes(32).toString('hex');
  return changeHolding(context, id, async (claim) => {
    const network = resolveNetwork(state.index, request.network);
    refuseName(context, network, request.name);
    if (request.health !== undefined) refuseUnreachable(network);
    const service = planService(request, network, { id, number: state.serviceNumbers.next() });
    for (const pool of state.taken.network(network.id)?.pools ?? []) {
      if (familyOf(pool.cidr) === familyOf(service.vip)) pool.check(service.vip);
    }
    const taken = { id, addresses: [service.vip] };
    addresses.hold(network, taken.addresses, claim);
    await using undo = undoStack(context);
    undo.push(`give back ${service.vip}`, () => addresses.giveBack(network, taken));
    undo.push(`forget service ${service.name}`, () => store.deleteService(service.id));
    await store.putService(service);
    undo.push(`forget service ${service.name}`, () => state.deleteService(service.id));
    state.putService(service);
    undo.push(`remove service ${service.name}`, () => host.removeService(service, network));
    host.setService(service, network, state.selection.selected(service.id));
    undo.commit();
    addresses.wake();
    log.info({ service: service.name, network: network.name, vip: service.vip }, 'service created');
    return view(context, service);
  });
}

/** Backends are checked from the host. */
function refuseUnreachable(network: Network): void {
  if (!planOf(network).flags.includes('HOST_OFF')) return;
  const remedy = 'leave out --health, or create the network with --opt vetch.host-access=true';
  throw new VetchError('INVALID', `the host does not reach endpoints of network ${network.name} to check them`, remedy);
}

export function listServices(context: Context): ServiceView[] {
  return [...context.state.index.services.values()]
    .map((service) => view(context, service))
    .sort((a, b) => (`${a.network}/${a.name}` < `${b.network}/${b.name}` ? -1 : 1));
}

/** @throws VetchError NOT_FOUND; INVALID: several networks have one of the name */
export function removeService(context: Context, ref: string): Promise<void> {
  const { lock, state } = context;
  return lock.run(async () => {
    const service = resolveService(context, ref);
    const network = state.index.networks.get(service.network);
    if (network) await dropService(context, service, network);
  });
}

/** The caller holds the lock. */
export async function dropService(context: Context, service: Service, network: Network): Promise<void> {
  const { health, host, log, state, store } = context;
  await using undo = undoStack(context);
  undo.push(`restore service ${service.name}`, () => {
    host.setService(service, network, state.selection.selected(service.id));
  });
  host.removeService(service, network);
  await store.deleteService(service.id);
  undo.commit();
  state.deleteService(service.id);
  health.keep((id) => id !== service.id);
  await context.forgetAddresses(network.number, [service.vip]);
  context.addresses.giveBack(network, { id: service.id, addresses: [service.vip] });
  log.info({ service: service.name, network: network.name }, 'service removed');
}

export function servicesOf({ state }: Pick<Context, 'state'>, network: Network): Service[] {
  return [...state.index.services.values()].filter((service) => service.network === network.id);
}

function resolveService({ state }: Context, ref: string): Service {
  const slash = ref.indexOf('/');
  const name = ref.slice(slash + 1);
  const network = slash > 0 ? resolveNetwork(state.index, ref.slice(0, slash)) : undefined;
  const found = [...state.index.services.values()].filter(
    (service) => service.name === name && (network === undefined || service.network === network.id),
  );
  const [service] = found;
  if (service === undefined) {
    throw new VetchError('NOT_FOUND', `there is no service '${ref}'`, 'vetch service ls lists those that there are');
  }
  if (found.length === 1) return service;
  const networks = found.map((one) => state.index.networks.get(one.network)?.name ?? one.network);
  throw new VetchError(
    'INVALID',
    `the networks ${networks.join(', ')} have a service '${ref}'`,
    'name it as NETWORK/NAME',
  );
}

function refuseName(context: Context, network: Network, name: string): void {
  if (!servicesOf(context, network).some((service) => service.name === name)) return;
  throw new VetchError(
    'ALREADY_EXISTS',
    `service ${network.name}/${name} already exists`,
    `choose another name, or remove it with \`vetch service rm ${network.name}/${name}\``,
  );
}

function view({ health, state }: Context, service: Service): ServiceView {
  const network = state.index.networks.get(service.network);
  if (!network) throw new Error(`service ${service.name} belongs to a network that is not there`);
  return serviceView(service, network, backendsOf(service, state.selection.selected(service.id), health));
}
