import { VetchError } from '../api/error.ts';
import { familyOf, parseAddress } from '../model/address.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { allocatePorts } from '../network/allocate-ports.ts';
import { driverOf } from '../network/drivers/registry.ts';
import { holderName } from '../network/endpoint-index.ts';
import { checkPublishing } from '../network/plan-endpoint.ts';
import { parsePublish } from '../network/publish.ts';
import { publishesOnAllHosts, returnsDirectly } from '../network/publish-scope.ts';
import { isLoopback } from '../reconcile/desired/host-addrs.ts';
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
  const { hostBinding, routed } = driverOf(network).defaults(network.options);
  const { published } = context.state.taken;
  const ports = allocatePorts(
    requests,
    {
      published: {
        holder: (binding) => published.holder(binding) ?? context.host.remotePortHolder(binding),
        lowestFree: (...range) => published.lowestFree(...range),
      },
      families: endpoint.addresses.map(familyOf),
      hostBinding,
      routed,
      reserved: context.host.localPorts,
      ephemeralStart,
      endpoint: holderName(endpoint, network),
    },
    (binding) => probe.isFree(binding),
  );
  if (requests.some((request) => request.hostPorts === undefined)) {
    ephemeralStart = Math.max(...ports.map(({ hostPort }) => hostPort)) + 1;
  }
  refuseRepeated(endpoint, ports);
  if (!publishesOnAllHosts(endpoint, network)) return ports;
  const everywhere = {
    scope: 'cluster' as const,
    ...(returnsDirectly(endpoint, network) ? { return: 'direct' as const } : {}),
  };
  // A loopback address is each host's own.
  return ports.map((port) => (isLoopback(parseAddress(port.hostAddress)) ? port : { ...port, ...everywhere }));
}

/** Of what takes a port of the host that port is taken; of what takes none nothing else tells. */
function refuseRepeated(endpoint: Endpoint, ports: readonly PublishedPort[]): void {
  for (const { protocol, hostAddress, hostPort, port } of ports.filter((one) => one.hostPort === 0)) {
    const known = endpoint.ports.some((one) => {
      return (
        one.hostPort === hostPort && one.hostAddress === hostAddress && one.port === port && one.protocol === protocol
      );
    });
    if (!known) continue;
    throw new VetchError(
      'ALREADY_EXISTS',
      `endpoint ${endpoint.name} has published ${protocol} port ${port} at its own address already`,
      'nothing is to be done',
    );
  }
}
