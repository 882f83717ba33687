import { readFileSync } from 'node:fs';
import type { HostContainer } from '../../integrations/docker/books.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { planNetwork } from '../../network/plan-network.ts';
import { cgroup2Root } from '../cgroup-root.ts';
import type { Context } from '../context.ts';
import { addEndpoint } from '../operations/attach-endpoint.ts';
import { changeEndpoint, dropEndpoint } from '../operations/endpoints.ts';
import { makeNetwork } from '../operations/networks.ts';
import { containerCgroup } from './container-cgroup.ts';
import { described } from './described.ts';

/**
 * Has the engine's containers in the host's namespace as endpoints of the host network, which is made with the first of
 * them. What runs anew under the id of a known one has another cgroup.
 */
export async function followHostContainers(
  context: Context,
  running: readonly HostContainer[],
  asked: number,
): Promise<void> {
  const ids = new Set(running.map(({ id }) => id));
  const isGone = ({ id, created }: Endpoint) => !ids.has(id) && Date.parse(created) < asked;
  for (const endpoint of ofDocker(context).filter(isGone)) await drop(context, endpoint);
  await takeHostContainers(context, running);
}

function drop(context: Context, endpoint: Endpoint): Promise<void> {
  return context.lock.run(async () => {
    if (context.state.index.endpoints.get(endpoint.id) === endpoint) await dropEndpoint(context, endpoint);
  });
}

/** Those that are known keep their place, under their name of now. Whoever cannot be taken is told of, and keeps nobody out. */
export async function takeHostContainers(context: Context, running: readonly HostContainer[]): Promise<void> {
  for (const container of running) {
    try {
      await follow(context, container);
    } catch (err) {
      context.log.error(
        { err, container: container.name },
        'a container in the namespace of the host is not under policy',
      );
    }
  }
}

async function follow(context: Context, container: HostContainer): Promise<void> {
  const { host, lock, state } = context;
  const known = state.index.endpoints.get(container.id);
  if (known && host.isAtCgroup(known)) return describe(context, container);
  const pid = await container.pid();
  const cgroup = pid === 0 ? undefined : cgroupOfProcess(pid, container.id);
  // One whose cgroup is not found is listed, and looked for again.
  if (known && known.cgroup === undefined && cgroup === undefined) return describe(context, container);
  if (known) await drop(context, known);
  if (pid !== 0) await lock.run(() => add(context, container, cgroup));
}

async function describe(context: Context, container: HostContainer): Promise<void> {
  const { lock, state } = context;
  const known = state.index.endpoints.get(container.id);
  if (!known || described(context, known, container) === known) return;
  await lock.run(async () => {
    const now = state.index.endpoints.get(container.id);
    if (now) await changeEndpoint(context, described(context, now, container));
  });
}

async function add(context: Context, container: HostContainer, cgroup: string | undefined): Promise<void> {
  const { state } = context;
  if (state.index.endpoints.has(container.id)) return;
  const network = await hostNetwork(context);
  const request = { ...{ network: network.id, addresses: [], labels: {}, options: {}, publish: [] } };
  const bare = planEndpoint(
    { ...request, ...(cgroup === undefined ? {} : { cgroup }) },
    { network, endpoints: state.taken, id: container.id, owner: 'docker' },
  );
  await addEndpoint(context, described(context, bare, container), network, {});
}

/** The one there is, or one of that name. The caller holds the lock. */
async function hostNetwork(context: Context): Promise<Network> {
  const { host, state } = context;
  const networks = [...state.index.networks.values()];
  const known = networks.find(isHostNetwork);
  if (known) return known;
  const name = state.index.networkNamed('host') ? 'docker-host' : 'host';
  const request = { ...{ name, driver: 'host', subnets: [], gateways: [], auxAddresses: {}, ipv6: false } };
  const network = planNetwork(
    { ...request, internal: false, options: {}, labels: {} },
    { networks, hostRoutes: host.foreignRoutes() },
  );
  await makeNetwork(context, network);
  return network;
}

/** The engine's containers in the host's namespace that are known. */
export function ofDocker({ state }: Context): Endpoint[] {
  return [...state.index.networks.values()]
    .filter(isHostNetwork)
    .flatMap(({ id }) => [...state.index.endpointsOf(id).values()])
    .filter(({ owner }) => owner === 'docker');
}

function isHostNetwork(network: Network): boolean {
  return driverOf(network).capabilities.cgroups;
}

/** undefined: it has none of its own in cgroup2. */
function cgroupOfProcess(pid: number, container: string): string | undefined {
  const root = cgroup2Root();
  try {
    return root === undefined
      ? undefined
      : containerCgroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), root, container);
  } catch {
    return undefined;
  }
}
