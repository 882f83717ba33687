import { familyOf } from '../model/address.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { allocatePorts } from '../network/allocate-ports.ts';
import { driverOf } from '../network/drivers/registry.ts';
import { holderName } from '../network/endpoint-index.ts';
import { checkPublishing } from '../network/plan-endpoint.ts';
import { parsePublish } from '../network/publish.ts';
import type { Context } from './context.ts';
import type { PortProbe } from './port-probe.ts';

/** Where the last ephemeral port was found: a port that was let go is not given to the next at once. */
let ephemeralStart = 0;

/**
 * Host ports for the SPECs, all or none; `probe` holds them until they are published.
 *
 * @throws VetchError INVALID, PORT_ALLOCATED
 */
export function choosePorts(
  context: Context,
  endpoint: Endpoint,
  network: Network,
  specs: readonly string[],
  probe: PortProbe,
): PublishedPort[] {
  if (specs.length === 0) return [];
  checkPublishing(network);
  const requests = specs.flatMap(parsePublish);
  const ports = allocatePorts(
    requests,
    {
      published: context.state.taken.published,
      families: endpoint.addresses.map(familyOf),
      hostBinding: driverOf(network).defaults(network.options).hostBinding,
      reserved: context.host.localPorts,
      ephemeralStart,
      endpoint: holderName(endpoint, network),
    },
    (binding) => probe.isFree(binding),
  );
  if (requests.some((request) => request.hostPorts === undefined)) {
    ephemeralStart = Math.max(...ports.map(({ hostPort }) => hostPort)) + 1;
  }
  return ports;
}
