import { VetchError } from '../../api/error.ts';
import type { FlowFilter, FlowQuery } from '../../api/schemas/flow.ts';
import { DropReason, Verdict } from '../../maps/generated/abi.ts';
import { AddressSet } from '../address-set.ts';
import type { Peers, RefNames } from '../peers.ts';
import { parseProtocol } from '../protocol.ts';
import { at, type Records } from './record.ts';

/** Whether the record at byte `offset`, a multiple of 8, is wanted. */
export type RecordFilter = (records: Records, offset: number) => boolean;

/**
 * One test of raw bytes for a whole query: no object is made for an event.
 *
 * In `include` a flow must match one value of every list that says something; in `exclude` no value of any list.
 *
 * @param window ktime of `since` and `until`, ns; both ends belong to it.
 * @throws {VetchError} INVALID for a reason or protocol that does not exist, and what `names` throws.
 */
export function compileFilter(
  query: Pick<FlowQuery, 'include' | 'exclude'>,
  names: RefNames,
  window: { readonly since?: bigint; readonly until?: bigint } = {},
): RecordFilter {
  const wanted = tests(query.include, names);
  if (window.since !== undefined || window.until !== undefined) wanted.push(within(window.since, window.until));
  const unwanted = tests(query.exclude, names);
  const [first, second] = wanted;
  if (unwanted.length === 0) {
    if (!first) return () => true;
    if (!second) return first;
    if (wanted.length === 2) return (records, offset) => first(records, offset) && second(records, offset);
  }
  return (records, offset) => {
    for (let i = 0; i < wanted.length; i++) if (!(wanted[i] as RecordFilter)(records, offset)) return false;
    for (let i = 0; i < unwanted.length; i++) if ((unwanted[i] as RecordFilter)(records, offset)) return false;
    return true;
  };
}

/** One test for each list that says something; the cheap ones first. */
function tests(filter: FlowFilter, names: RefNames): RecordFilter[] {
  const result: RecordFilter[] = [];
  if (filter.verdict.length > 0)
    result.push(
      byteIn(
        at.verdict,
        filter.verdict.map((name) => Verdict[name]),
      ),
    );
  if (filter.reason.length > 0) result.push(reasonIn(filter.reason.map(reasonNumber)));
  if (filter.protocol.length > 0) result.push(protocolIn(filter.protocol));
  if (filter.port.length > 0) result.push(portIn(filter.port));
  if (filter.network.length > 0) result.push(networkIn(names.networks(filter.network)));
  if (filter.from.length > 0) result.push(peerIn(at.source, at.sourceIdentity, names.peers(filter.from)));
  if (filter.to.length > 0) result.push(peerIn(at.destination, at.destinationIdentity, names.peers(filter.to)));
  return result;
}

function reasonNumber(name: string): number {
  const number = (DropReason as Readonly<Record<string, number>>)[name];
  if (number === undefined || number === DropReason.NONE || number === DropReason.COUNT) {
    throw new VetchError('INVALID', `unknown drop reason ${name}`, 'docs/drops.md lists them all');
  }
  return number;
}

function byteIn(offset: number, values: readonly number[]): RecordFilter {
  const set = tableOf(256, values);
  return ({ bytes }, record) => set[bytes[record + offset] as number] === 1;
}

function reasonIn(values: readonly number[]): RecordFilter {
  const set = tableOf(65_536, values);
  return ({ bytes }, record) => {
    const where = record + at.reason;
    return set[(bytes[where] as number) | ((bytes[where + 1] as number) << 8)] === 1;
  };
}

function protocolIn(texts: readonly string[]): RecordFilter {
  const matches = texts.map(parseProtocol);
  const set = tableOf(
    256,
    matches.filter(({ ethertype }) => ethertype === undefined).map(({ protocol }) => protocol),
  );
  const ethertypes = new Set(matches.flatMap(({ ethertype }) => ethertype ?? []));
  return ({ bytes }, record) => {
    const protocol = bytes[record + at.protocol] as number;
    if (set[protocol] === 1) return true;
    if (protocol !== 0 || ethertypes.size === 0) return false;
    const where = record + at.ethertype;
    return ethertypes.has((bytes[where] as number) | ((bytes[where + 1] as number) << 8));
  };
}

function portIn(ports: readonly number[]): RecordFilter {
  const set = tableOf(65_536, ports);
  const source = at.sourcePort;
  const destination = at.destinationPort;
  return ({ bytes }, record) =>
    set[((bytes[record + destination] as number) << 8) | (bytes[record + destination + 1] as number)] === 1 ||
    set[((bytes[record + source] as number) << 8) | (bytes[record + source + 1] as number)] === 1;
}

function networkIn(numbers: readonly number[]): RecordFilter {
  const set = new Set(numbers);
  return ({ words }, record) => set.has((words[(record + at.network) >> 2] as number) >>> 0);
}

function peerIn(address: number, identity: number, peers: Peers): RecordFilter {
  const set = new AddressSet(peers.addresses, peers.prefixes);
  const identities = new Set(peers.identities);
  return ({ words }, record) =>
    set.has(words, (record + address) >> 2) ||
    (identities.size > 0 && identities.has((words[(record + identity) >> 2] as number) >>> 0));
}

function within(since: bigint | undefined, until: bigint | undefined): RecordFilter {
  // Exact to 104 days of uptime, then to a few nanoseconds: a date is given in milliseconds.
  const from = since === undefined ? 0 : Number(since);
  const to = until === undefined ? Number.POSITIVE_INFINITY : Number(until);
  return ({ words }, record) => {
    const word = (record + at.time) >> 2;
    const time = ((words[word + 1] as number) >>> 0) * 4_294_967_296 + ((words[word] as number) >>> 0);
    return time >= from && time <= to;
  };
}

function tableOf(size: number, values: readonly number[]): Uint8Array {
  const table = new Uint8Array(size);
  for (const value of values) table[value] = 1;
  return table;
}
