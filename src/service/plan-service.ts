import { VetchError } from '../api/error.ts';
import type { CreateServiceRequest } from '../api/schemas/service.ts';
import { canonicalAddress, familyOf } from '../model/address.ts';
import type { Network } from '../model/network.ts';
import type { HealthCheck, Service, ServicePort } from '../model/service.ts';

/** The service that a request asks for; whether its address is free is the caller's to see. @throws VetchError INVALID */
export function planService(
  request: CreateServiceRequest,
  network: Network,
  { id, number }: Pick<Service, 'id' | 'number'>,
): Service {
  const ports = request.ports.map(parseServicePort);
  const seen = new Set<string>();
  for (const { port, protocol } of ports) {
    const text = `${port}/${protocol}`;
    if (seen.has(text)) throw new VetchError('INVALID', `port ${text} is given twice`, 'give each port once');
    seen.add(text);
  }
  if (Object.keys(request.select).length === 0) {
    throw new VetchError('INVALID', 'a service without a label selects nobody', 'give a label with --select app=web');
  }
  const vip = canonicalAddress(request.vip);
  if (!network.subnets.some(({ cidr }) => familyOf(cidr) === familyOf(vip))) {
    const cidrs = network.subnets.map(({ cidr }) => cidr).join(' and ');
    throw new VetchError(
      'ADDRESS_OUTSIDE_POOL',
      `address ${vip} is outside network ${network.name}, which has ${cidrs || 'no addresses'}`,
      'choose an address of the network that no endpoint has',
    );
  }
  const health = request.health === undefined ? undefined : parseHealth(request.health);
  if (health && !ports.some(({ protocol }) => protocol === 'tcp')) {
    throw new VetchError('INVALID', 'a service without a TCP port cannot be checked', 'leave out --health');
  }
  return {
    ...{ id, number, name: request.name, network: network.id, vip, ports },
    ...{ select: request.select, algorithm: request.algorithm, affinity: request.affinity },
    ...(health ? { health } : {}),
    created: new Date().toISOString(),
  };
}

/** `PORT[:TARGETPORT][/tcp|udp]`. @throws VetchError INVALID */
export function parseServicePort(spec: string): ServicePort {
  const [, first, second, protocol = 'tcp'] = /^(\d{1,5})(?::(\d{1,5}))?(?:\/(tcp|udp))?$/.exec(spec) ?? [];
  const port = Number(first);
  const targetPort = second === undefined ? port : Number(second);
  if (first !== undefined && isPort(port) && isPort(targetPort)) {
    return { protocol: protocol === 'udp' ? 'udp' : 'tcp', port, targetPort };
  }
  throw new VetchError('INVALID', `'${spec}' is not a port of a service`, 'write it as 80, 80:8080 or 53/udp');
}

/** `tcp` or `http:PATH`. @throws VetchError INVALID */
export function parseHealth(text: string): HealthCheck {
  if (text === 'tcp') return {};
  if (/^http:\/[\x21-\x7e]*$/.test(text)) return { path: text.slice('http:'.length) };
  throw new VetchError('INVALID', `'${text}' is not a health check`, 'write it as tcp or http:/healthz');
}

function isPort(number: number): boolean {
  return number >= 1 && number <= 65535;
}
