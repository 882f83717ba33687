import type { EndpointView } from '../../api/schemas/endpoint.ts';
import type { EndpointPortView } from '../../api/schemas/port.ts';
import { formatRate } from '../../model/rate.ts';
import { printFields } from '../fields.ts';
import { pairs } from '../table.ts';

export async function printEndpoint(endpoint: EndpointView): Promise<void> {
  await printFields({
    name: endpoint.name,
    id: endpoint.id,
    network: endpoint.network,
    node: endpoint.node,
    ifname: endpoint.ifname,
    hostIfname: endpoint.hostIfname,
    mac: endpoint.mac,
    addresses: endpoint.addresses,
    gateways: endpoint.gateways,
    ...(endpoint.cgroup === undefined ? {} : { cgroup: endpoint.cgroup }),
    identity: endpoint.identity,
    rates: rateTexts(endpoint.rates),
    labels: pairs(endpoint.labels),
    ports: endpoint.ports.map(portText),
  });
}

function rateTexts({ ingress, egress }: EndpointView['rates']): string[] {
  return [
    ...(ingress === undefined ? [] : [`ingress ${formatRate(ingress)}`]),
    ...(egress === undefined ? [] : [`egress ${formatRate(egress)}`]),
  ];
}

/** As Docker writes it: `0.0.0.0:8080->80/tcp`; `80/tcp` of what takes no port of the host. */
export function portText(port: EndpointPortView): string {
  if (port.hostPort === 0) return `${port.port}/${port.protocol}`;
  const host = port.hostAddress.includes(':') ? `[${port.hostAddress}]` : port.hostAddress;
  return `${host}:${port.hostPort}->${port.port}/${port.protocol}`;
}
