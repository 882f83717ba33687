import type { ServiceView } from '../api/schemas/service.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import type { Backend } from './backends.ts';

export function serviceView(service: Service, network: Network, backends: readonly Backend[]): ServiceView {
  return {
    name: service.name,
    network: network.name,
    vip: service.vip,
    ports: service.ports.map(({ protocol, port, targetPort }) => ({ protocol, port, targetPort })),
    select: { ...service.select },
    algorithm: service.algorithm,
    affinity: service.affinity,
    health: healthText(service),
    backends: backends.map(({ endpoint, address, weight, healthy }) => ({
      ...{ endpoint: endpoint.name, address, weight, healthy },
    })),
  };
}

function healthText({ health }: Service): string | null {
  if (!health) return null;
  return health.path === undefined ? 'tcp' : `http:${health.path}`;
}
