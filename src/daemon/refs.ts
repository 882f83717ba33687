import { VetchError } from '../api/error.ts';
import { Identity } from '../maps/generated/abi.ts';
import { canonicalAddress, parseAddress, parsePrefix, withoutLength } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { joinPeers, nobody, type Peers } from '../observe/peers.ts';
import type { IntentIndex } from './intent-index.ts';

/** A refusal does not list hundreds. */
const shownCandidates = 8;

/**
 * The one endpoint that a REF means: `NAME`, `NETWORK/NAME`, an address, `label:K=V`, or the prefix of an id, in this order.
 *
 * @throws VetchError NOT_FOUND; INVALID when several are meant, with their names
 */
export function resolveEndpoint(index: IntentIndex, ref: string): Endpoint {
  const found = findEndpoints(index, ref);
  const [endpoint] = found;
  if (endpoint === undefined) {
    throw new VetchError('NOT_FOUND', `there is no endpoint '${ref}'`, 'vetch endpoint ls lists those that there are');
  }
  if (found.length > 1)
    throw ambiguous(
      'endpoint',
      ref,
      found.map((candidate) => fullName(index, candidate)),
    );
  return endpoint;
}

/** Every endpoint that a REF can mean; empty when none. */
export function findEndpoints(index: IntentIndex, ref: string): readonly Endpoint[] {
  if (ref.startsWith('label:')) return withLabel(index, ref.slice('label:'.length));
  const slash = ref.indexOf('/');
  if (slash > 0) {
    const network = index.networkNamed(ref.slice(0, slash));
    if (network)
      return index.endpointsNamed(ref.slice(slash + 1)).filter((endpoint) => endpoint.network === network.id);
  }
  const named = index.endpointsNamed(ref);
  if (named.length > 0) return named;
  const address = addressOf(ref);
  if (address !== undefined) return index.endpointsAt(address);
  if (!/^[0-9a-f]+$/.test(ref)) return [];
  return index.idsWithPrefix(ref).flatMap((id) => index.endpoints.get(id) ?? []);
}

/**
 * A network by its name, its id or the prefix of its id.
 *
 * @throws VetchError NOT_FOUND; INVALID when several are meant
 */
export function resolveNetwork(index: IntentIndex, ref: string): Network {
  const named = index.networkNamed(ref) ?? index.networks.get(ref);
  if (named) return named;
  const found = /^[0-9a-f]+$/.test(ref) ? index.idsWithPrefix(ref).flatMap((id) => index.networks.get(id) ?? []) : [];
  const [network] = found;
  if (network === undefined) {
    throw new VetchError('NOT_FOUND', `there is no network '${ref}'`, 'vetch network ls lists those that there are');
  }
  if (found.length > 1)
    throw ambiguous(
      'network',
      ref,
      found.map((candidate) => candidate.name),
    );
  return network;
}

export interface PeerFacts {
  /** The host's own addresses. */
  readonly host: () => readonly Uint8Array[];
  /** Who an endpoint is to policy: how one is found that has no address of its own. */
  readonly identityOf: (endpoint: Endpoint) => number;
}

/**
 * Everything that REFs of a filter stand for: several endpoints by one label, prefixes, `world`, `host`.
 *
 * @throws VetchError NOT_FOUND, INVALID
 */
export function resolvePeers(index: IntentIndex, refs: readonly string[], { host, identityOf }: PeerFacts): Peers {
  return joinPeers(
    refs.map((ref) => {
      if (ref === 'world') return { ...nobody, identities: [Identity.WORLD] };
      if (ref === 'host') return { ...nobody, addresses: host(), identities: [Identity.HOST] };
      const found = findEndpoints(index, ref);
      if (found.length > 0) {
        if (found.length > 1 && !ref.startsWith('label:')) resolveEndpoint(index, ref);
        const own = found.flatMap(({ addresses }) => addresses);
        return {
          ...nobody,
          addresses: own.map((address) => parseAddress(withoutLength(address))),
          identities: found.filter(({ addresses }) => addresses.length === 0).map(identityOf),
        };
      }
      const address = addressOf(ref);
      if (address !== undefined) return { ...nobody, addresses: [parseAddress(address)] };
      if (/^[0-9a-fA-F.:]+\/\d+$/.test(ref)) return { ...nobody, prefixes: [parsePrefix(ref)] };
      resolveEndpoint(index, ref);
      return nobody;
    }),
  );
}

/** `NETWORK/NAME`: what no other endpoint answers to. */
export function fullName(index: IntentIndex, endpoint: Endpoint): string {
  return `${index.networks.get(endpoint.network)?.name ?? endpoint.network.slice(0, 12)}/${endpoint.name}`;
}

function withLabel(index: IntentIndex, label: string): readonly Endpoint[] {
  const equals = label.indexOf('=');
  if (equals < 1) {
    throw new VetchError('INVALID', `'label:${label}' is not a label and its value`, 'write it as label:app=web');
  }
  const [key, value] = [label.slice(0, equals), label.slice(equals + 1)];
  return [...index.endpoints.values()].filter((endpoint) => endpoint.labels[key] === value);
}

function addressOf(ref: string): string | undefined {
  if (!/^[0-9a-fA-F.:]+$/.test(ref) || !/[.:]/.test(ref)) return undefined;
  try {
    return canonicalAddress(ref);
  } catch {
    return undefined;
  }
}

function ambiguous(what: string, ref: string, candidates: readonly string[]): VetchError {
  const shown = candidates.slice(0, shownCandidates).join(', ');
  const more = candidates.length > shownCandidates ? ` and ${candidates.length - shownCandidates} more` : '';
  return new VetchError(
    'INVALID',
    `'${ref}' may be each of these ${what}s: ${shown}${more}`,
    'name one of them in full',
  );
}
