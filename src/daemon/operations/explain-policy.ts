import { VetchError } from '../../api/error.ts';
import type { ExplainRequest, ExplainView } from '../../api/schemas/policy.ts';
import { canonicalAddress, familyOf, parsePrefix, withoutLength } from '../../model/address.ts';
import type { ClusterEndpoint } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { driverOf, planOf } from '../../network/drivers/registry.ts';
import { IDENTITY_HOST, IDENTITY_WORLD } from '../../policy/decision.ts';
import { type ExplainedParty, type Explanation, explain, explanationOf } from '../../policy/explain.ts';
import { type ElsewhereParty, explainElsewhere } from '../../policy/explain-elsewhere.ts';
import { identityOfAddress, identityOfLearned, type Traffic } from '../../policy/lookup.ts';
import { protocolNumbers } from '../../policy/protocol.ts';
import type { PolicyTables } from '../../policy/tables.ts';
import type { PolicyContext } from '../context.ts';
import { findEndpoints, findRemotes, remoteKey, resolveEndpoint } from '../refs.ts';

/** Who a REF means here: an endpoint of this host or of another one, an address that none has, or whoever `world` and `host` stand for. */
type Party =
  | { readonly endpoint: Endpoint }
  | { readonly remote: ClusterEndpoint }
  | { readonly address: string }
  | 'world'
  | 'host';

const icmp = { 4: 1, 6: 58 } as const;

/**
 * By the tables that the kernel has, in the first family that both parties have.
 *
 * @throws VetchError NOT_FOUND, INVALID
 */
export function explainPolicy(context: PolicyContext, request: ExplainRequest): ExplainView {
  const { policy, state } = context;
  const [from, to] = [partyOf(state, request.from), partyOf(state, request.to)];
  const family = ([4, 6] as const).find((one) => hasFamily(state, from, one) && hasFamily(state, to, one));
  if (family === undefined) {
    throw new VetchError(
      'INVALID',
      `${request.from} and ${request.to} have no address of one family`,
      'name two that have IPv4, or IPv6, both of them',
    );
  }
  // An endpoint reaches itself.
  if (idOf(from) !== undefined && idOf(from) === idOf(to)) return nobodyDecides;
  const explained = (party: Party, other: Party): ExplainedParty => identify(context, party, other, family);
  const sender = explained(from, to);
  const traffic = trafficOf(request.port, family);
  const here = explain(policy.tables, (number) => policy.documentNumbered(number), {
    from: sender,
    to: learned(policy.tables, from, sender, to) ?? explained(to, from),
    traffic,
  });
  const elsewhere = (party: Party): Explanation | undefined => {
    if (typeof party === 'string' || !('remote' in party)) return undefined;
    const shared = { documents: state.index.policies, namespaces: state.index.namespaces };
    const [sending, receiving] = [from, to].map((one) => partyElsewhere(state, one));
    if (sending === undefined || receiving === undefined) return undefined;
    return explainElsewhere(shared, party.remote.node, { from: sending, to: receiving, traffic, family });
  };
  return explanationOf(elsewhere(from)?.egress ?? here.egress, elsewhere(to)?.ingress ?? here.ingress);
}

/** As another host knows who talks. */
function partyElsewhere(state: PolicyContext['state'], party: Party): ElsewhereParty {
  if (party === 'world' || party === 'host') return 'world';
  if ('address' in party) return party;
  const { name, labels, addresses, network: id } = 'remote' in party ? party.remote : party.endpoint;
  const network = state.index.networks.get(id);
  return { name, labels, addresses, network: network?.name ?? id, driver: network?.driver ?? 'overlay' };
}

function idOf(party: Party): string | undefined {
  if (typeof party === 'string' || 'address' in party) return undefined;
  return 'remote' in party ? remoteKey(party.remote) : party.endpoint.id;
}

const allowed = { verdict: 'allow', decidedBy: null, audit: false } as const;
const nobodyDecides: ExplainView = { ...allowed, egress: allowed, ingress: allowed };

function isEndpoint(party: Party): party is { readonly endpoint: Endpoint } {
  return typeof party !== 'string' && 'endpoint' in party;
}

function partyOf({ index }: PolicyContext['state'], ref: string): Party {
  if (ref === 'world' || ref === 'host') return ref;
  if (findEndpoints(index, ref).length === 0) {
    const [remote, ...others] = findRemotes(index, ref);
    if (remote && others.length === 0) return { remote };
    if (/^[0-9a-fA-F.:]+$/.test(ref) && /[.:]/.test(ref)) return { address: canonicalAddress(ref) };
    if (/^[0-9a-fA-F.:]+\/\d+$/.test(ref)) {
      parsePrefix(ref);
      return { address: canonicalAddress(withoutLength(ref)) };
    }
  }
  return { endpoint: resolveEndpoint(index, ref) };
}

/** What an address of the world is to an endpoint that was told it as a domain name's. */
function learned(
  tables: PolicyTables,
  from: Party,
  { standing }: ExplainedParty,
  to: Party,
): ExplainedParty | undefined {
  if (!isEndpoint(from) || standing === undefined || typeof to === 'string' || !('address' in to)) return undefined;
  const identity = identityOfLearned(tables, { number: from.endpoint.number, standing }, to.address);
  return identity === undefined ? undefined : { identity };
}

function hasFamily(state: PolicyContext['state'], party: Party, family: 4 | 6): boolean {
  if (typeof party === 'string') return true;
  if ('address' in party) return familyOf(party.address) === family;
  // The host's addresses are its own.
  if (isEndpoint(party) && driverOf(state.networkOf(party.endpoint)).capabilities.cgroups) return true;
  const { addresses } = 'remote' in party ? party.remote : party.endpoint;
  return addresses.some((address) => familyOf(address) === family);
}

function identify({ policy, state }: PolicyContext, party: Party, other: Party, family: 4 | 6): ExplainedParty {
  const { tables } = policy;
  if (party === 'world') return { identity: IDENTITY_WORLD };
  if (party === 'host') {
    // The address that the host has in the other's network.
    const network = typeof other !== 'string' && 'endpoint' in other ? state.networkOf(other.endpoint) : undefined;
    const subnets = network && planOf(network).ownsSubnets ? network.subnets : [];
    const gateway = subnets.map((subnet) => subnet.gateway).find((one) => one !== '' && familyOf(one) === family);
    return { identity: gateway === undefined ? IDENTITY_HOST : identityOfAddress(tables, gateway, IDENTITY_HOST) };
  }
  if ('address' in party) {
    const otherwise = policy.isHost(party.address) ? IDENTITY_HOST : IDENTITY_WORLD;
    return { identity: identityOfAddress(tables, party.address, otherwise) };
  }
  const known = 'remote' in party ? party.remote : party.endpoint;
  const number = 'remote' in party ? policy.remoteNumber(remoteKey(party.remote)) : party.endpoint.number;
  const standing = tables.standings.get(number ?? 0)?.[family === 4 ? 'v4' : 'v6'];
  if (standing === undefined) throw new Error(`endpoint ${known.name} has no identity`);
  return { identity: standing.identity, standing };
}

/** Of `80/tcp`, `80`, which is TCP's, or `icmp`. */
function trafficOf(text: string, family: 4 | 6): Traffic {
  if (text === 'icmp') return { protocol: icmp[family], port: 0 };
  const [digits = '', name = 'tcp'] = text.split('/');
  const port = Number(digits);
  if (port > 65_535) throw new VetchError('INVALID', `${text} is no port`, 'write 0 to 65535, as 80/tcp');
  return { port, protocol: name === 'udp' || name === 'sctp' ? protocolNumbers[name] : protocolNumbers.tcp };
}
