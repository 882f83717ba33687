import type { FlowQuery } from '../../api/schemas/flow.ts';
import { encoded } from '../../maps/codec.ts';
import { type FlowEvent, flowEventCodec } from '../../maps/generated/abi.ts';
import { parseAddress } from '../../model/address.ts';
import { joinPeers, nobody, type Peers, type RefNames } from '../peers.ts';
import { recordsIn } from './record.ts';

/** An event to write tests with: TCP from 10.88.0.2:40000 to 10.88.0.3:80 in network 1, forwarded. */
export function flowEvent(
  change: Partial<Omit<FlowEvent, 'source' | 'destination'>> & { source?: string; destination?: string } = {},
): FlowEvent {
  const { source, destination, ...rest } = change;
  return {
    time: 1_000_000_000n,
    source: parseAddress(source ?? '10.88.0.2'),
    destination: parseAddress(destination ?? '10.88.0.3'),
    sourcePort: 40000,
    destinationPort: 80,
    network: 1,
    sourceIdentity: 256,
    destinationIdentity: 257,
    ifindex: 7,
    length: 60,
    reason: 0,
    verdict: 0,
    hook: 0,
    protocol: 6,
    tcpFlags: 2,
    ethertype: 0x0800,
    decision: 0,
    generation: 1,
    ...rest,
  };
}

/** The words of a record, as they come out of the ring buffer. */
export function recordWords(event: FlowEvent): Int32Array {
  return recordsIn(encoded(flowEventCodec, event)).words;
}

const nothing = { verdict: [], reason: [], from: [], to: [], port: [], protocol: [], network: [] };

/** A query as the API gives it, from what it says only. */
export function flowQuery(
  change: Partial<Omit<FlowQuery, 'include' | 'exclude'>> & {
    include?: Partial<FlowQuery['include']>;
    exclude?: Partial<FlowQuery['exclude']>;
  } = {},
): FlowQuery {
  return {
    follow: false,
    ...change,
    include: { ...nothing, ...change.include },
    exclude: { ...nothing, ...change.exclude },
  };
}

/** REFs that are addresses, prefixes, `world` and `host`; networks that are numbers. */
export const plainNames: RefNames = {
  peers: (refs) => joinPeers(refs.map(plainPeers)),
  networks: (refs) => refs.map(Number),
};

function plainPeers(ref: string): Peers {
  if (ref === 'world') return { ...nobody, identities: [2] };
  if (ref === 'host') return { ...nobody, identities: [1] };
  const [address = '', length] = ref.split('/');
  const bytes = parseAddress(address);
  if (length === undefined) return { ...nobody, addresses: [bytes] };
  return {
    ...nobody,
    prefixes: [{ address: bytes, prefixLength: Number(length) + (address.includes(':') ? 0 : 96) }],
  };
}
