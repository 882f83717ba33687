import type { EndpointView } from '../../api/schemas/endpoint.ts';
import type { EndpointPortView } from '../../api/schemas/port.ts';
import { printFields } from '../fields.ts';
import { pairs } from '../table.ts';

export async function printEndpoint(endpoint: EndpointView): Promise<void> {
  await printFields({
    name: endpoint.name,
    id: endpoint.id,
    network: endpoint.network,
    ifname: endpoint.ifname,
    hostIfname: endpoint.hostIfname,
    mac: endpoint.mac,
    addresses: endpoint.addresses,
    gateways: endpoint.gateways,
    identity: endpoint.identity,
    labels: pairs(endpoint.labels),
    ports: endpoint.ports.map(portText),
  });
}

/** As Docker writes it: `0.0.0.0:8080->80/tcp`. */
export function portText(port: EndpointPortView): string {
  const host = port.hostAddress.includes(':') ? `[${port.hostAddress}]` : port.hostAddress;
  return `${host}:${port.hostPort}->${port.port}/${port.protocol}`;
}
