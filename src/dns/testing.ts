import { encode, type RecordType } from 'dns-packet';
import type { NamedEndpoint, NamedNetwork } from '../api/schemas/names.ts';
import { Forwarder } from './forwarder.ts';
import { Learner } from './learner.ts';
import { Names } from './names.ts';
import { parseQuery, type Query } from './query.ts';
import { Resolver } from './resolver.ts';
import type { Serving } from './udp-server.ts';

export function network(name: string, number: number, internal = false): NamedNetwork {
  const [subnets, gateways] = [
    [`10.${number}.0.0/16`, `fd00:${number}::/64`],
    [`10.${number}.0.1`, `fd00:${number}::1`],
  ];
  return { event: 'network', id: `id-${name}`, name, internal, subnets, gateways, names: true };
}

export function endpoint(name: string, of: NamedNetwork, host: number, sandbox = ''): NamedEndpoint {
  const addresses = of.gateways.map((gateway) => gateway.replace(/1$/, String(host)));
  return { event: 'endpoint', id: `${of.name}/${name}`, network: of.id, name, addresses, sandbox, domains: [] };
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

/** What a server answers on 127.0.0.1 to a client there: `shop` has these addresses. `faults` is what went wrong. */
export function loopback(addresses: readonly string[], port: number): Serving & { readonly faults: unknown[] } {
  const local: NamedNetwork = { ...network('web', 88), subnets: ['127.0.0.0/8'], gateways: ['127.0.0.1'] };
  const names = namesOf(local, { ...endpoint('shop', local, 2), addresses: [...addresses] });
  const resolver = new Resolver(names, new Forwarder({ upstreams: () => [] }), new Learner(async () => {}));
  const faults: unknown[] = [];
  const failed = (error: unknown) => void faults.push(error);
  return { resolver, network: local.id, address: '127.0.0.1', port, failed, faults };
}
