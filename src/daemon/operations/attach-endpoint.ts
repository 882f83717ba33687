import type { AttachEndpointRequest, EndpointView } from '../../api/schemas/endpoint.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { planEndpoint } from '../../network/plan-endpoint.ts';
import { endpointView } from '../../network/views.ts';
import { Sandbox, sandboxFact } from '../../reconcile/sandbox.ts';
import { choosePorts } from '../choose-ports.ts';
import { type Context, undoStack } from '../context.ts';
import { PortProbe } from '../port-probe.ts';
import { resolveNetwork } from '../refs.ts';

/**
 * Gives a sandbox its device in a network. The intent is on the disk before the device comes up; whatever fails before
 * that leaves nothing behind, and a crash leaves what the next start removes.
 *
 * @throws VetchError NOT_FOUND, INVALID, ALREADY_EXISTS, ADDRESS_TAKEN, ADDRESS_OUTSIDE_POOL, PORT_ALLOCATED,
 *   UNSUPPORTED, MAP_FULL, UNAVAILABLE
 */
export function attachEndpoint(context: Context, request: AttachEndpointRequest): Promise<EndpointView> {
  const { host, lock, log, state, store } = context;
  return lock.run(async () => {
    const network = resolveNetwork(state.index, request.network);
    using sandbox = Sandbox.open(request.netns);
    const planned = planEndpoint(request, {
      network,
      endpoints: state.taken,
      sandboxIfnames: sandbox.ifnames(),
    });
    using probe = new PortProbe();
    const ports = choosePorts(context, planned, network, request.publish, probe);
    const endpoint: Endpoint = { ...planned, ports };
    await using undo = undoStack(context);
    const stored = store.transaction((writer) => {
      writer.putEndpoint(endpoint);
      writer.putFact(sandboxFact(endpoint.id), sandbox.identity);
    });
    undo.push(`forget endpoint ${endpoint.name}`, async () => {
      await stored.catch(() => undefined);
      await store.transaction((writer) => {
        writer.deleteEndpoint(endpoint.id);
        writer.putFact(sandboxFact(endpoint.id), undefined);
      });
    });
    // While the disk is at work, so is the kernel.
    undo.push(`remove the device ${endpoint.hostIfname}`, () => host.removeEndpoint(endpoint, network));
    host.prepareEndpoint(endpoint, network, sandbox);
    await stored;
    host.announceEndpoint(endpoint);
    state.putEndpoint(endpoint);
    undo.commit();
    log.info({ endpoint: endpoint.name, network: network.name, addresses: endpoint.addresses }, 'endpoint attached');
    return endpointView(endpoint, network);
  });
}
