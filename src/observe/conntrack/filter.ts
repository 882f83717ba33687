import type { ConntrackFilter } from '../../api/schemas/conntrack.ts';
import { ConntrackState } from '../../maps/generated/abi.ts';
import { AddressSet } from '../address-set.ts';
import type { Peers, RefNames } from '../peers.ts';
import { parseProtocol } from '../protocol.ts';
import { type EntryBytes, entryAt } from './entry.ts';

export type EntryFilter = (entry: EntryBytes) => boolean;

/**
 * Either half of a translated flow passes or fails alike: addresses and ports are those of the flow, not of the half.
 *
 * @throws {VetchError} INVALID for an unknown protocol, and what `names` throws.
 */
export function compileEntryFilter(filter: ConntrackFilter, names: RefNames): EntryFilter {
  const tests: EntryFilter[] = [];
  if (filter.protocol.length > 0) {
    const protocols = new Set(filter.protocol.map((text) => parseProtocol(text).protocol));
    tests.push((entry) => protocols.has(entry.byte(entryAt.protocol)));
  }
  if (filter.state.length > 0) {
    const states = new Set<number>(filter.state.map((name) => ConntrackState[name]));
    tests.push((entry) => states.has(entry.byte(entryAt.state)));
  }
  if (filter.port.length > 0) {
    const ports = new Set(filter.port);
    tests.push(
      (entry) =>
        ports.has(entry.be16(entry.sent.destinationPort)) || ports.has(entry.be16(entry.received.destinationPort)),
    );
  }
  if (filter.network.length > 0) {
    const networks = new Set(names.networks(filter.network));
    tests.push((entry) => networks.has(entry.network) || networks.has(entry.receivedNetwork));
  }
  if (filter.from.length > 0) tests.push(sourceIn(names.peers(filter.from)));
  if (filter.to.length > 0) tests.push(destinationIn(names.peers(filter.to)));
  if (filter.endpoint.length > 0) {
    const peers = names.peers(filter.endpoint);
    const source = sourceIn(peers);
    const destination = destinationIn(peers);
    tests.push((entry) => source(entry) || destination(entry));
  }
  return (entry) => {
    for (let i = 0; i < tests.length; i++) if (!(tests[i] as EntryFilter)(entry)) return false;
    return true;
  };
}

function sourceIn(peers: Peers): EntryFilter {
  const set = new AddressSet(peers.addresses, peers.prefixes);
  const identities = new Set(peers.identities);
  return (entry) => set.has(entry.words, entry.sent.source >> 2) || identities.has(entry.u32(entryAt.sourceIdentity));
}

/** The one that is asked for, or the one that it was translated to. */
function destinationIn(peers: Peers): EntryFilter {
  const set = new AddressSet(peers.addresses, peers.prefixes);
  const identities = new Set(peers.identities);
  return (entry) =>
    set.has(entry.words, entry.sent.destination >> 2) ||
    set.has(entry.words, entry.received.destination >> 2) ||
    identities.has(entry.u32(entryAt.destinationIdentity));
}
