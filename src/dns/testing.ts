import { encode, type RecordType } from 'dns-packet';
import type { NamedEndpoint, NamedNetwork } from '../api/schemas/names.ts';
import { Names } from './names.ts';
import { parseQuery, type Query } from './query.ts';

export function network(name: string, number: number, internal = false): NamedNetwork {
  const [subnets, gateways] = [
    [`10.${number}.0.0/16`, `fd00:${number}::/64`],
    [`10.${number}.0.1`, `fd00:${number}::1`],
  ];
  return { event: 'network', id: `id-${name}`, name, internal, subnets, gateways };
}

export function endpoint(name: string, of: NamedNetwork, host: number, sandbox = ''): NamedEndpoint {
  const addresses = of.gateways.map((gateway) => gateway.replace(/1$/, String(host)));
  return { event: 'endpoint', id: `${of.name}/${name}`, network: of.id, name, addresses, sandbox };
}

export function namesOf(...events: readonly (NamedNetwork | NamedEndpoint)[]): Names {
  const names = new Names();
  for (const event of events) names.apply(event);
  return names;
}

/** A query's bytes. */
export function packet(name: string, type: RecordType = 'A', id = 7): Buffer {
  return encode({ type: 'query', id, flags: 0x100, questions: [{ name, type, class: 'IN' }] });
}

export function query(name: string, type?: RecordType): Query {
  const parsed = parseQuery(packet(name, type));
  if (!parsed || 'error' in parsed) throw new Error(`${name} is not read`);
  return parsed.query;
}
