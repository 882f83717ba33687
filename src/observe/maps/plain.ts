import {
  configFlags,
  conntrackFlags,
  conntrackStateName,
  counterName,
  dropReasonName,
  endpointFlags,
  interfaceFlags,
  networkFlags,
  partyName,
  serviceFlags,
  stepName,
  uplinkFlags,
} from '../../maps/generated/abi.ts';
import { formatAddress, formatMac, formatPrefix } from '../../model/address.ts';
import { protocolName } from '../protocol.ts';

type Format = (value: number) => unknown;

/** Fields that hold a number of a list, by map (or `*`) and field. */
const formats: Readonly<Record<string, Format>> = {
  '*.protocol': protocolName,
  'config.flags': configFlags,
  'networks.flags': networkFlags,
  'endpoints.flags': endpointFlags,
  'interfaces.flags': interfaceFlags,
  'interface_slots.flags': interfaceFlags,
  'services.flags': serviceFlags,
  'uplinks.flags': uplinkFlags,
  'conntrack.flags': conntrackFlags,
  'conntrack.state': conntrackStateName,
  'conntrack.sourceParty': partyName,
  'conntrack.destinationParty': partyName,
  'trace_steps.step': stepName,
};

/** Maps whose index is a number of a list. */
const indexFormats: Readonly<Record<string, Format>> = { drops: dropReasonName, counters: counterName };

/** Addresses that are all zero where there is none. */
const optionalAddresses: ReadonlySet<string> = new Set([
  'v4',
  'v6',
  'linkLocal',
  'gateway4',
  'gateway6',
  'broadcast4',
  'masquerade4',
  'masquerade6',
  'otherSource',
  'otherDestination',
]);

/** A key as JSON can carry it: prefixes as `10.88.0.0/16`, an index of a list by its name. */
export function plainKey(map: string, key: unknown): unknown {
  if (typeof key === 'number') return indexFormats[map]?.(key) ?? key;
  if (isPrefix(key)) return formatPrefix({ address: key.addr, prefixLength: key.prefixlen });
  return plain(map, '', key);
}

/** A value as JSON can carry it: addresses, MACs and numbers of lists as text, structs as objects, times as they are. */
export function plainValue(map: string, value: unknown): unknown {
  return plain(map, '', value);
}

function plain(map: string, field: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return plainBytes(field, value);
  if (Array.isArray(value)) return value.map((element) => plain(map, field, element));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(map, name, inner)]));
  }
  if (typeof value === 'bigint') return value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  if (typeof value !== 'number') return value;
  const format = formats[`${map}.${field}`] ?? formats[`*.${field}`];
  return format ? format(value) : value;
}

function plainBytes(field: string, bytes: Uint8Array): unknown {
  if (bytes.length === 16) {
    return optionalAddresses.has(field) && bytes.every((byte) => byte === 0) ? null : formatAddress(bytes);
  }
  return bytes.length === 6 ? formatMac(bytes) : Buffer.from(bytes).toString('hex');
}

function isPrefix(key: unknown): key is { prefixlen: number; addr: Uint8Array } {
  return typeof key === 'object' && key !== null && 'prefixlen' in key && 'addr' in key;
}
