import type { ConntrackFilter } from '../../api/schemas/conntrack.ts';
import { encoded } from '../../maps/codec.ts';
import { type Conntrack, ConntrackFlag, conntrackCodec, conntrackKeyCodec } from '../../maps/generated/abi.ts';
import { parseAddress } from '../../model/address.ts';

export interface Tuple {
  readonly source: readonly [ip: string, port: number];
  readonly destination: readonly [ip: string, port: number];
  readonly network: number;
}

/** Raw key and value, in a `Map` by the key's bytes as latin-1 text. */
export type FakeEntry = readonly [key: Uint8Array, value: Uint8Array];

const nowhere = { ifindex: 0, check: 0, mac: new Uint8Array(6) };

/** An entry as the datapath makes it, keyed by `own`; `other` is the tuple on the other wire of a translated flow. */
export function flowEntry(
  own: Tuple,
  change: Partial<Conntrack> & { protocol?: number } = {},
  other?: Tuple,
): FakeEntry {
  const { protocol, ...rest } = change;
  const source = parseAddress(own.source[0]);
  const destination = parseAddress(own.destination[0]);
  const order = Buffer.compare(source, destination) || own.source[1] - own.destination[1];
  const ends = order <= 0 ? [own.source, own.destination] : [own.destination, own.source];
  const key = {
    addrA: parseAddress(ends[0]?.[0] ?? ''),
    addrB: parseAddress(ends[1]?.[0] ?? ''),
    portA: ends[0]?.[1] ?? 0,
    portB: ends[1]?.[1] ?? 0,
    network: own.network,
    protocol: protocol ?? 6,
  };
  const value: Conntrack = {
    created: 100_000_000_000n,
    lastSeen: 105_000_000_000n,
    packetsOriginal: 3n,
    bytesOriginal: 300n,
    packetsReply: 2n,
    bytesReply: 200n,
    generation: 1,
    beat: 0,
    toSource: nowhere,
    toDestination: nowhere,
    sourceIdentity: 256,
    destinationIdentity: 257,
    owner: 1,
    otherNetwork: other?.network ?? 0,
    state: 2,
    sourceParty: 0,
    destinationParty: 0,
    otherSource: parseAddress(other?.source[0] ?? '::'),
    otherDestination: parseAddress(other?.destination[0] ?? '::'),
    otherSourcePort: other?.source[1] ?? 0,
    otherDestinationPort: other?.destination[1] ?? 0,
    ...rest,
    flags: (rest.flags ?? 0) | (order > 0 ? ConntrackFlag.ORIGIN_B : 0) | (other ? ConntrackFlag.TRANSLATED : 0),
  };
  return [encoded(conntrackKeyCodec, key), encoded(conntrackCodec, value)];
}

export function conntrackFilter(change: Partial<ConntrackFilter> = {}): ConntrackFilter {
  return { endpoint: [], from: [], to: [], port: [], protocol: [], network: [], state: [], ...change };
}
