import type { EndpointView, LabelEndpointRequest } from '../../api/schemas/endpoint.ts';
import type { ClusterEndpoint } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { isAccelerated } from '../../network/accelerate.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { isLimited } from '../../network/limits-of.ts';
import { checkRateLabels } from '../../network/rates.ts';
import { endpointView, remoteView } from '../../network/views.ts';
import { sandboxFact } from '../../reconcile/sandbox.ts';
import { type Context, undoStack } from '../context.ts';
import { refuseForeign } from '../ownership.ts';
import { findEndpoints, findRemotes, fullName, resolveEndpoint } from '../refs.ts';

export function listEndpoints(context: Context): EndpointView[] {
  const { index } = context.state;
  const named = <One extends Pick<Endpoint, 'name' | 'network'>>(one: One, view: EndpointView) => {
    return { name: `${fullName(index, one)} ${view.node}`, view };
  };
  const local = Array.from(index.endpoints.values(), (endpoint) => named(endpoint, viewEndpoint(context, endpoint)));
  const remote = [...index.remotes.values()].flatMap((endpoint) => {
    return viewRemote(context, endpoint).map((view) => named(endpoint, view));
  });
  return [...local, ...remote].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ view }) => view);
}

/** @throws VetchError NOT_FOUND, INVALID */
export function inspectEndpoint(context: Context, ref: string): EndpointView {
  const { index } = context.state;
  const [remote, ...others] = findEndpoints(index, ref).length > 0 ? [] : findRemotes(index, ref);
  const [view] = remote && others.length === 0 ? viewRemote(context, remote) : [];
  return view ?? viewEndpoint(context, resolveEndpoint(index, ref));
}

/** Labels, and the identity that they make, change on a live endpoint. @throws VetchError NOT_FOUND, INVALID, MAP_FULL */
export function labelEndpoint(context: Context, ref: string, request: LabelEndpointRequest): Promise<EndpointView> {
  const { lock, state } = context;
  return lock.run(async () => {
    const before = resolveEndpoint(state.index, ref);
    const removed = new Set(request.remove);
    const kept = Object.entries(before.labels).filter(([key]) => !removed.has(key));
    const labels = { ...Object.fromEntries(kept), ...request.set };
    checkRateLabels(request.set);
    const endpoint: Endpoint = { ...before, labels };
    await changeEndpoint(context, endpoint);
    return viewEndpoint(context, endpoint);
  });
}

/**
 * Another name, other labels: policy and limits have followed before they are stored. The caller holds the lock.
 *
 * @throws VetchError MAP_FULL: nothing has changed
 */
export async function changeEndpoint(context: Context, endpoint: Endpoint): Promise<void> {
  const { host, state, store } = context;
  const network = state.networkOf(endpoint);
  const before = state.index.endpoints.get(endpoint.id);
  await using undo = undoStack(context);
  if (before) {
    undo.push(`restore the policy of ${before.name}`, () => host.policy.changeEndpoints([before], network));
    undo.push(`restore the limits of ${before.name}`, () => host.limitEndpoint(before, network));
  }
  await host.policy.changeEndpoints([endpoint], network);
  host.limitEndpoint(endpoint, network);
  await store.putEndpoint(endpoint);
  undo.commit();
  state.putEndpoint(endpoint);
  if (isLimited(endpoint, network)) host.openShaper(state.index);
  if (isAccelerated(endpoint, network)) host.openBypass(state.index);
}

/** Its connections end with it. @throws VetchError NOT_FOUND, INVALID; IN_USE: an engine owns it */
export async function detachEndpoint(context: Context, ref: string): Promise<void> {
  const { addresses, lock, state } = context;
  const shared = await lock.run(async () => {
    const endpoint = resolveEndpoint(state.index, ref);
    refuseForeign(`endpoint ${endpoint.name}`, endpoint.owner, `docker rm ${endpoint.name}`);
    const network = state.networkOf(endpoint);
    await dropEndpoint(context, endpoint);
    return spansHosts(network);
  });
  // Whoever attaches it on another host then finds its address free.
  if (shared) await addresses.settle();
}

/** The caller holds the lock. */
export async function dropEndpoint(context: Context, endpoint: Endpoint): Promise<void> {
  const { host, log, state, store } = context;
  const network = state.networkOf(endpoint);
  // The intent goes first: after a crash from here on, the next start removes the rest.
  await store.transaction((writer) => {
    writer.deleteEndpoint(endpoint.id);
    writer.putFact(sandboxFact(endpoint.id), undefined);
  });
  state.deleteEndpoint(endpoint.id);
  host.removeEndpoint(endpoint, network);
  await host.policy.removeEndpoint(endpoint);
  await context.forgetFlows(endpoint, network.number);
  context.addresses.giveBack(network, endpoint);
  log.info({ endpoint: endpoint.name, network: network.name }, 'endpoint detached');
  await context.networks.left(network);
}

export function viewEndpoint({ host, options, state }: Context, endpoint: Endpoint): EndpointView {
  return endpointView(endpoint, state.networkOf(endpoint), host.policy.identityOf(endpoint), options.node);
}

/** None where this host does not have the network. */
function viewRemote({ host, state }: Context, remote: ClusterEndpoint): EndpointView[] {
  const network = state.index.networks.get(remote.network);
  const number = host.remote(`${remote.node}/${remote.id}`)?.number;
  const identity = number === undefined ? 0 : host.policy.identityOf({ ...remote, number });
  return network ? [remoteView(remote, network, identity)] : [];
}
