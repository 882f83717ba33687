import { VetchError } from '../api/error.ts';
import { Identity } from '../maps/generated/abi.ts';
import { canonicalAddress, parseAddress, parsePrefix, withoutLength } from '../model/address.ts';
import type { ClusterEndpoint } from '../model/cluster.ts';
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
  const [remote] = endpoint === undefined ? findRemotes(index, ref) : [];
  if (remote !== undefined) {
    throw new VetchError(
      'INVALID',
      `endpoint ${fullName(index, remote)} is on host ${remote.node}`,
      `give the command on host ${remote.node}`,
    );
  }
  if (endpoint === undefined) {
    throw new VetchError('NOT_FOUND', `there is no endpoint '${ref}'`, 'vetch endpoint ls lists those that there are');
  }
  if (found.length > 1) refuseAmbiguous(index, ref, found);
  return endpoint;
}

/** Every endpoint that a REF can mean; empty when none. */
export function findEndpoints(index: IntentIndex, ref: string): readonly Endpoint[] {
  if (ref.startsWith('label:')) return withLabel(index.endpoints.values(), ref.slice('label:'.length));
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

/** Every endpoint of another host that a REF can mean; empty when none. */
export function findRemotes(index: IntentIndex, ref: string): readonly ClusterEndpoint[] {
  if (ref.startsWith('label:')) return withLabel(index.remotes.values(), ref.slice('label:'.length));
  const slash = ref.indexOf('/');
  if (slash > 0) {
    const network = index.networkNamed(ref.slice(0, slash));
    if (network) return index.remotesNamed(ref.slice(slash + 1)).filter((remote) => remote.network === network.id);
  }
  const named = index.remotesNamed(ref);
  if (named.length > 0) return named;
  const address = addressOf(ref);
  if (address !== undefined) return index.remotesAt(address);
  if (!/^[0-9a-f]{4,}$/.test(ref)) return [];
  return [...index.remotes.values()].filter(({ id }) => id.startsWith(ref));
}

/** `NODE/ID`. */
export function remoteKey({ node, id }: Pick<ClusterEndpoint, 'node' | 'id'>): string {
  return `${node}/${id}`;
}

/** As far as it is known what other hosts have. @throws VetchError ALREADY_EXISTS */
export function refuseRemoteName(index: IntentIndex, network: Network, name: string): void {
  const remote = index.remotesNamed(name).find((other) => other.network === network.id);
  if (!remote) return;
  throw new VetchError(
    'ALREADY_EXISTS',
    `endpoint ${network.name}/${name} already exists on host ${remote.node}`,
    `choose another name, or detach it there with \`vetch endpoint detach ${network.name}/${name}\``,
  );
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
      const local = findEndpoints(index, ref);
      const byLabel = ref.startsWith('label:');
      const found = byLabel || local.length === 0 ? [...local, ...findRemotes(index, ref)] : local;
      if (found.length > 0) {
        if (found.length > 1 && !byLabel) refuseAmbiguous(index, ref, found);
        const own = found.flatMap(({ addresses }) => addresses);
        return {
          ...nobody,
          addresses: own.map((address) => parseAddress(withoutLength(address))),
          identities: local.filter(({ addresses }) => addresses.length === 0).map(identityOf),
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
export function fullName(index: IntentIndex, endpoint: Pick<Endpoint, 'name' | 'network'>): string {
  return `${index.networks.get(endpoint.network)?.name ?? endpoint.network.slice(0, 12)}/${endpoint.name}`;
}

function withLabel<One extends Pick<Endpoint, 'labels'>>(all: Iterable<One>, label: string): readonly One[] {
  const equals = label.indexOf('=');
  if (equals < 1) {
    throw new VetchError('INVALID', `'label:${label}' is not a label and its value`, 'write it as label:app=web');
  }
  const [key, value] = [label.slice(0, equals), label.slice(equals + 1)];
  return [...all].filter(({ labels }) => labels[key] === value);
}

function addressOf(ref: string): string | undefined {
  if (!/^[0-9a-fA-F.:]+$/.test(ref) || !/[.:]/.test(ref)) return undefined;
  try {
    return canonicalAddress(ref);
  } catch {
    return undefined;
  }
}

function refuseAmbiguous(index: IntentIndex, ref: string, found: readonly Pick<Endpoint, 'name' | 'network'>[]): never {
  throw ambiguous(
    'endpoint',
    ref,
    found.map((candidate) => fullName(index, candidate)),
  );
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
