import { VetchError } from '../../api/error.ts';
import type { PortView } from '../../api/schemas/port.ts';
import type { Endpoint, PublishedPort } from '../../model/endpoint.ts';
import { matchPublished, parsePublish } from '../../network/publish.ts';
import { portViews } from '../../network/views.ts';
import { choosePorts } from '../choose-ports.ts';
import { type Context, undoStack } from '../context.ts';
import { PortProbe } from '../port-probe.ts';
import { fullName, resolveEndpoint } from '../refs.ts';

export function listPorts({ state }: Context): PortView[] {
  return [...state.index.endpoints.values()]
    .filter(({ ports }) => ports.length > 0)
    .map((endpoint) => ({ endpoint, name: fullName(state.index, endpoint) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ endpoint }) => portViews(endpoint, state.networkOf(endpoint)));
}

/** @throws VetchError NOT_FOUND, INVALID, PORT_ALLOCATED, MAP_FULL */
export function publishPort(context: Context, ref: string, spec: string): Promise<PortView[]> {
  const { lock, state } = context;
  return lock.run(async () => {
    const endpoint = resolveEndpoint(state.index, ref);
    const ports = await addPorts(context, endpoint, [spec]);
    return portViews(endpoint, state.networkOf(endpoint), ports);
  });
}

/** All or none. The caller holds the lock. @throws VetchError INVALID, PORT_ALLOCATED, MAP_FULL */
export async function addPorts(
  context: Context,
  before: Endpoint,
  specs: readonly string[],
  signal?: AbortSignal,
): Promise<PublishedPort[]> {
  const { host, log, state, store } = context;
  const network = state.networkOf(before);
  using probe = new PortProbe();
  const ports = choosePorts(context, before, network, specs, probe);
  const endpoint: Endpoint = { ...before, ports: [...before.ports, ...ports] };
  await using undo = undoStack(context);
  undo.push(`forget ports of ${endpoint.name}`, () => store.putEndpoint(before));
  host.publish(endpoint, network, ports);
  undo.push(`unpublish ${specs.join(' ')}`, () => host.unpublish(endpoint, network, ports));
  await store.putEndpoint(endpoint);
  signal?.throwIfAborted();
  state.putEndpoint(endpoint);
  undo.commit();
  log.info({ endpoint: endpoint.name, ports }, 'published');
  return ports;
}

/** Connections that came by the port end. @throws VetchError NOT_FOUND, INVALID */
export function unpublishPort(context: Context, ref: string, spec: string): Promise<PortView[]> {
  const { lock, state } = context;
  return lock.run(async () => {
    const before = resolveEndpoint(state.index, ref);
    const ports = matchPublished(parsePublish(spec), before.ports);
    if (ports.length === 0) {
      throw new VetchError(
        'NOT_FOUND',
        `endpoint ${before.name} has not published ${spec}`,
        '`vetch port ls` lists what is published',
      );
    }
    await dropPorts(context, before, ports);
    return portViews(before, state.networkOf(before), ports);
  });
}

/** The caller holds the lock. */
export async function dropPorts(
  { host, log, state, store }: Context,
  before: Endpoint,
  ports: readonly PublishedPort[],
): Promise<void> {
  const endpoint: Endpoint = { ...before, ports: before.ports.filter((port) => !ports.includes(port)) };
  await store.putEndpoint(endpoint);
  state.putEndpoint(endpoint);
  host.unpublish(before, state.networkOf(before), ports);
  log.info({ endpoint: endpoint.name, ports }, 'unpublished');
}
