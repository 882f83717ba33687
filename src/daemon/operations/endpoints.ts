import type { EndpointView, LabelEndpointRequest } from '../../api/schemas/endpoint.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { isLimited } from '../../network/limits-of.ts';
import { checkRateLabels } from '../../network/rates.ts';
import { endpointView } from '../../network/views.ts';
import { sandboxFact } from '../../reconcile/sandbox.ts';
import { type Context, undoStack } from '../context.ts';
import { refuseForeign } from '../ownership.ts';
import { fullName, resolveEndpoint } from '../refs.ts';

export function listEndpoints(context: Context): EndpointView[] {
  const { index } = context.state;
  return [...index.endpoints.values()]
    .map((endpoint) => ({ endpoint, name: fullName(index, endpoint) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ endpoint }) => viewEndpoint(context, endpoint));
}

/** @throws VetchError NOT_FOUND, INVALID */
export function inspectEndpoint(context: Context, ref: string): EndpointView {
  return viewEndpoint(context, resolveEndpoint(context.state.index, ref));
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
}

/** Its connections end with it. @throws VetchError NOT_FOUND, INVALID; IN_USE: an engine owns it */
export function detachEndpoint(context: Context, ref: string): Promise<void> {
  const { lock, state } = context;
  return lock.run(async () => {
    const endpoint = resolveEndpoint(state.index, ref);
    refuseForeign(`endpoint ${endpoint.name}`, endpoint.owner, `docker rm ${endpoint.name}`);
    await dropEndpoint(context, endpoint);
  });
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
  log.info({ endpoint: endpoint.name, network: network.name }, 'endpoint detached');
}

export function viewEndpoint({ host, state }: Context, endpoint: Endpoint): EndpointView {
  return endpointView(endpoint, state.networkOf(endpoint), host.policy.identityOf(endpoint));
}
