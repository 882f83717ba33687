import type { NetworkView } from '../../api/schemas/network.ts';
import { printFields } from '../fields.ts';
import { pairs } from '../table.ts';

export async function printNetwork(network: NetworkView): Promise<void> {
  await printFields({
    name: network.name,
    id: network.id,
    driver: network.driver,
    subnets: network.subnets,
    gateways: network.gateways,
    mtu: network.mtu,
    internal: network.internal,
    options: pairs(network.options),
    labels: pairs(network.labels),
    endpoints: network.endpoints,
  });
}
