import { randomBytes } from 'node:crypto';
import { VetchError } from '../../api/error.ts';
import type { AttachEndpointRequest, EndpointView } from '../../api/schemas/endpoint.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { isAccelerated } from '../../network/accelerate.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { isLimited } from '../../network/limits-of.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { Sandbox, sandboxFact } from '../../reconcile/sandbox.ts';
import { changeHolding } from '../change-cluster.ts';
import { choosePorts } from '../choose-ports.ts';
import { type Context, undoStack } from '../context.ts';
import { ownCgroup } from '../own-cgroup.ts';
import { refuseForeign } from '../ownership.ts';
import { PortProbe } from '../port-probe.ts';
import { refuseRemoteName, resolveNetwork } from '../refs.ts';
import { viewEndpoint } from './endpoints.ts';

/**
 * Gives a sandbox its device in a network. The intent is on the disk before the device comes up; whatever fails before
 * that leaves nothing behind, and a crash leaves what the next start removes.
 *
 * @throws VetchError NOT_FOUND, INVALID, ALREADY_EXISTS, ADDRESS_TAKEN, ADDRESS_OUTSIDE_POOL, PORT_ALLOCATED,
 *   UNSUPPORTED, MAP_FULL, UNAVAILABLE
 */
export function attachEndpoint(context: Context, request: AttachEndpointRequest): Promise<EndpointView> {
  const { addresses, state } = context;
  const id = randomBytes(32).toString('hex');
  return changeHolding(context, id, async (claim) => {
    const network = resolveNetwork(state.index, request.network);
    refuseForeign(`network ${network.name}`, network.owner, `docker network connect ${network.name} CONTAINER`);
    if (request.name !== undefined) refuseRemoteName(state.index, network, request.name);
    const { cgroups } = driverOf(network).capabilities;
    using sandbox = cgroups ? undefined : Sandbox.open(netnsOf(request, network));
    const place = cgroups ? placeInHost(request, network) : {};
    const asked = { ...request, ...place, addresses: addresses.choose(network, request.addresses, claim) };
    const planned = planEndpoint(asked, {
      network,
      endpoints: state.taken,
      sandboxIfnames: sandbox?.ifnames() ?? [],
      id,
    });
    using probe = new PortProbe();
    const ports = choosePorts(context, planned, network, request.publish, probe);
    const endpoint: Endpoint = { ...planned, ports };
    addresses.hold(network, endpoint.addresses, claim);
    await addEndpoint(context, endpoint, network, sandbox ? { sandbox } : {});
    return viewEndpoint(context, endpoint);
  });
}

function netnsOf({ netns }: AttachEndpointRequest, { name }: Network): string {
  if (netns !== undefined) return netns;
  throw new VetchError(
    'INVALID',
    `an endpoint of network ${name} needs a network namespace, and none is named`,
    'name it with --netns, as /var/run/netns/web',
  );
}

function placeInHost({ netns, cgroup }: AttachEndpointRequest, { name }: Network) {
  if (netns === undefined) return { cgroup: ownCgroup(cgroup, name) };
  throw new VetchError(
    'INVALID',
    `an endpoint of network ${name} lives in the host's network namespace`,
    'leave out --netns, and name its --cgroup',
  );
}

/**
 * Gives an endpoint that has been planned its device, wholly or not at all. The caller holds the lock.
 *
 * @param sandbox absent: its engine moves the device there
 * @param signal once it is aborted nobody waits any more, and nothing stays
 */
export async function addEndpoint(
  context: Context,
  endpoint: Endpoint,
  network: Network,
  { sandbox, signal }: { readonly sandbox?: Sandbox; readonly signal?: AbortSignal },
): Promise<void> {
  const { host, log, state, store } = context;
  host.encryption.require(network, state.index.networks.values());
  await using undo = undoStack(context);
  const stored = store.transaction((writer) => {
    writer.putEndpoint(endpoint);
    if (sandbox) writer.putFact(sandboxFact(endpoint.id), sandbox.identity);
  });
  undo.push(`forget endpoint ${endpoint.name}`, async () => {
    await stored.catch(() => undefined);
    await store.transaction((writer) => {
      writer.deleteEndpoint(endpoint.id);
      writer.putFact(sandboxFact(endpoint.id), undefined);
    });
  });
  // While the disk is at work, so is the kernel.
  undo.push(`forget the policy of ${endpoint.name}`, () => host.policy.removeEndpoint(endpoint));
  undo.push(`remove the device ${endpoint.hostIfname}`, () => host.removeEndpoint(endpoint, network));
  await host.policy.addEndpoint(endpoint, network);
  host.prepareEndpoint(endpoint, network, sandbox);
  await stored;
  signal?.throwIfAborted();
  host.announceEndpoint(endpoint);
  state.putEndpoint(endpoint);
  undo.commit();
  if (isLimited(endpoint, network)) host.openShaper(state.index);
  if (isAccelerated(endpoint, network)) host.openBypass(state.index);
  log.info({ endpoint: endpoint.name, network: network.name, addresses: endpoint.addresses }, 'endpoint attached');
}
