import { encoded } from '../../maps/codec.ts';
import {
  ServiceFlag,
  type ServiceKey,
  type Service as ServiceValue,
  serviceKeyCodec,
} from '../../maps/generated/abi.ts';
import { parseAddress } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Intent } from '../../model/intent.ts';
import type { Network } from '../../model/network.ts';
import type { Service } from '../../model/service.ts';
import { backendsOf } from '../../service/backends.ts';
import type { BackendHealth } from '../../service/health.ts';
import { maglevTable, tableSize } from '../../service/maglev.ts';
import { ServiceSelection } from '../../service/selection.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import { protocolNumbers } from './published.ts';
import { membersOf, type PlacedTable, type ServiceTables } from './service-tables.ts';

/** What a service's tables are made from beside the intent. */
export interface ServiceMemory {
  readonly tables: ServiceTables;
  readonly health: BackendHealth;
  /** Told that a service keeps an older table, and why. */
  readonly failed: (error: unknown) => void;
}

/**
 * The table of a service, brought up to date.
 *
 * @param reachable those of the selected endpoints that have a device
 * @throws VetchError MAP_FULL: it keeps the one that it has
 */
export function serviceTable(
  service: Service,
  reachable: Iterable<Endpoint>,
  { tables, health }: Pick<ServiceMemory, 'tables' | 'health'>,
): PlacedTable {
  const backends = backendsOf(service, reachable, health)
    .filter(({ healthy }) => healthy)
    .map(({ endpoint: { id, number }, weight }) => ({ id, number, weight }));
  const what = backends.map(({ id, number, weight }) => `${id} ${number} ${weight}`).join();
  return tables.putMade(service.number, what, () => {
    // A smaller table would give everybody's slots away when one backend goes.
    const size = Math.max(tables.of(service.number).slots.length, tableSize(backends.length));
    return maglevTable(backends, size);
  });
}

/** Tells programs whose an entry of `services` is: `service_is` of bpf/lib/service_table.h. */
export function serviceCheck(key: ServiceKey): number {
  const bytes = encoded(serviceKeyCodec, key);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let check = 0;
  for (let at = 0; at < bytes.length; at += 4) check = Math.imul(check ^ view.getUint32(at, true), 0x85ebca6b);
  return check >>> 0;
}

/** The keys of a service, and where its table is. */
export function serviceEntries(service: Service, { number: network }: Network, table: PlacedTable): MapEntry[] {
  const addr = parseAddress(service.vip);
  const flags = service.algorithm === 'random' ? ServiceFlag.RANDOM : ServiceFlag.NONE;
  const { number, affinity } = service;
  const at = { number, first: table.first, slots: table.slots.length, affinity, flags };
  const entry = (key: ServiceKey, value: Omit<ServiceValue, 'check'>) =>
    entryOf('services', key, { ...value, check: serviceCheck(key) });
  return [
    entry({ addr, network, port: 0, protocol: 0 }, { ...at, first: 0, slots: 0, port: 0 }),
    ...service.ports.map(({ port, protocol, targetPort }) =>
      entry({ addr, network, port, protocol: protocolNumbers[protocol] }, { ...at, port: targetPort }),
    ),
  ];
}

export function memberServiceEntries(service: Pick<Service, 'number'>, endpoints: Iterable<number>): MapEntry[] {
  return Array.from(endpoints, (endpoint) => entryOf('serviceMembers', { service: service.number, endpoint }, 1));
}

/** The entries of all services. @param hasDevice whether an endpoint is there */
export function allServiceEntries(
  intent: Pick<Intent, 'networks' | 'endpoints' | 'services'>,
  hasDevice: (endpoint: Endpoint) => boolean,
  memory: ServiceMemory,
): MapEntry[] {
  const { tables, failed } = memory;
  const entries: MapEntry[] = [];
  const selection = ServiceSelection.of(intent);
  const numbers = new Set([...intent.services.values()].map(({ number }) => number));
  for (const number of tables.numbers()) if (!numbers.has(number)) tables.drop(number);
  for (const service of intent.services.values()) {
    const network = intent.networks.get(service.network);
    if (!network) continue;
    try {
      serviceTable(service, [...selection.selected(service.id)].filter(hasDevice), memory);
    } catch (error) {
      failed(error);
    }
    const table = tables.of(service.number);
    entries.push(...serviceEntries(service, network, table), ...memberServiceEntries(service, membersOf(table)));
  }
  for (const entry of tables.entries()) entries.push(entry);
  return entries;
}
