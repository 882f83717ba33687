import { setImmediate } from 'node:timers/promises';
import type { ConntrackFilter, ConntrackView, TupleEnd } from '../../api/schemas/conntrack.ts';
import { conntrackStateName } from '../../maps/generated/abi.ts';
import { formatAddress } from '../../model/address.ts';
import type { RefNames } from '../peers.ts';
import { protocolName } from '../protocol.ts';
import { EntryBytes, entryAt, type TuplePlaces } from './entry.ts';
import { compileEntryFilter } from './filter.ts';
import { type Timeouts, timeoutOf } from './timeout.ts';

/** Entries between two turns of others: some milliseconds. */
const slice = 4096;

/** The map `conntrack`, as bytes. */
export interface ConntrackSource {
  rawEntries(): Iterable<readonly [key: Uint8Array, value: Uint8Array]>;
  rawGet(key: Uint8Array): Uint8Array | undefined;
}

export interface ListOptions {
  readonly source: ConntrackSource;
  readonly filter: ConntrackFilter;
  readonly names: RefNames;
  readonly timeouts: Timeouts;
  /** Seconds of ktime. */
  readonly now: number;
  networkName(network: number): string | undefined;
}

/**
 * The flows that match, one row each: the halves of a translated flow are one, told from its sender's side. What has
 * expired but not been collected is left out. Flows that come and go meanwhile may be missed.
 *
 * @throws {VetchError} INVALID, NOT_FOUND from the first `next()`.
 */
export async function* listConntrack(options: ListOptions): AsyncGenerator<ConntrackView, void> {
  const matches = compileEntryFilter(options.filter, options.names);
  const entry = new EntryBytes();
  const other = new EntryBytes();
  let seen = 0;
  for (const [key, value] of options.source.rawEntries()) {
    if (++seen % slice === 0) await setImmediate();
    if (!matches(entry.set(key, value))) continue;
    let half: EntryBytes | undefined;
    if (entry.isTranslated) {
      const otherKey = entry.otherKey();
      const otherValue = options.source.rawGet(otherKey);
      // The first half tells of the flow, unless the LRU has evicted it.
      if (otherValue && entry.isReplyHalf) continue;
      if (otherValue) half = other.set(otherKey, otherValue);
    }
    const row = rowOf(entry, half, options);
    if (row) yield row;
  }
}

function rowOf(entry: EntryBytes, half: EntryBytes | undefined, options: ListOptions): ConntrackView | undefined {
  const halves = half ? [entry, half] : [entry];
  const sum = (...fields: number[]) =>
    halves.reduce((total, one) => fields.reduce((subtotal, field) => subtotal + one.u64(field), total), 0);
  const protocol = entry.byte(entryAt.protocol);
  const state = Math.max(...halves.map((one) => one.byte(entryAt.state)));
  const lastSeen = Math.max(...halves.map((one) => one.u64(entryAt.lastSeen))) / 1e9;
  const expires = timeoutOf(state, protocol, options.timeouts) - (options.now - lastSeen);
  if (expires <= 0) return undefined;
  const { network } = entry;
  return {
    protocol: protocolName(protocol),
    source: endOf(entry, entry.sent, 'source'),
    destination: endOf(entry, entry.sent, 'destination'),
    translated: entry.isTranslated
      ? { source: endOf(entry, entry.received, 'source'), destination: endOf(entry, entry.received, 'destination') }
      : null,
    state: conntrackStateName(state) as ConntrackView['state'],
    packets: sum(entryAt.packetsOriginal, entryAt.packetsReply),
    bytes: sum(entryAt.bytesOriginal, entryAt.bytesReply),
    ageSeconds: rounded(options.now - entry.u64(entryAt.created) / 1e9),
    expiresSeconds: rounded(expires),
    network: network === 0 ? null : (options.networkName(network) ?? String(network)),
  };
}

function endOf(entry: EntryBytes, tuple: TuplePlaces, end: 'source' | 'destination'): TupleEnd {
  return {
    ip: formatAddress(entry.address(tuple[end])),
    port: entry.be16(end === 'source' ? tuple.sourcePort : tuple.destinationPort),
  };
}

function rounded(seconds: number): number {
  return Math.max(0, Math.round(seconds * 10) / 10);
}
