import type { ClusterNetworkPolicy, ClusterPeer, ClusterProtocol, ClusterRule } from './documents.ts';
import { holds, selects, selectsNamespaceOf, selectsPod } from './selector.ts';
import { type Direction, type Endpoint, namedPort, type Party, type Question, type Situation } from './situation.ts';

/** What becomes of a flow in one tier; undefined: no rule matches, which is as if one passed it on. */
export type TierSays = 'Accept' | 'Deny' | 'Pass' | undefined;

/**
 * What one tier of ClusterNetworkPolicies says about one direction of one flow.
 *
 * Of one policy the first rule that matches counts. Of several policies the one with the lowest number counts; where
 * several have it, the strictest: Deny before Pass before Accept.
 */
export function clusterNetworkPoliciesSay(
  tier: 'Admin' | 'Baseline',
  situation: Situation,
  question: Question,
  direction: Direction,
  subject: Endpoint,
  peer: Party,
): TierSays {
  const policies = situation.documents.filter(
    (document) =>
      document.kind === 'ClusterNetworkPolicy' &&
      document.spec.tier === tier &&
      isSubject(document, subject, situation),
  ) as ClusterNetworkPolicy[];
  const priorities = [...new Set(policies.map(({ spec }) => spec.priority))].sort((one, other) => one - other);
  for (const priority of priorities) {
    const said = policies
      .filter((policy) => policy.spec.priority === priority)
      .map((policy) => firstMatch(policy, situation, question, direction, subject, peer));
    if (said.includes('Deny')) return 'Deny';
    if (said.includes('Pass')) return 'Pass';
    if (said.includes('Accept')) return 'Accept';
  }
  return undefined;
}

function isSubject({ spec }: ClusterNetworkPolicy, endpoint: Endpoint, situation: Situation): boolean {
  const { namespaces, pods } = spec.subject;
  if (namespaces) return selectsNamespaceOf(namespaces, endpoint, situation);
  return pods !== undefined && selectsPod(pods, endpoint, situation);
}

function firstMatch(
  { spec }: ClusterNetworkPolicy,
  situation: Situation,
  question: Question,
  direction: Direction,
  subject: Endpoint,
  peer: Party,
): TierSays {
  const rules: readonly (ClusterRule & { readonly peers: readonly ClusterPeer[] })[] =
    direction === 'ingress'
      ? (spec.ingress ?? []).map((rule) => ({ ...rule, peers: rule.from }))
      : (spec.egress ?? []).map((rule) => ({ ...rule, peers: rule.to }));
  for (const { action, peers, protocols } of rules) {
    // Fails closed: who wrote this meant something that we do not know.
    if (peers.some((one) => isUnknown(one, direction))) {
      if (action === 'Accept') continue;
      return 'Deny';
    }
    if (peers.some((one) => isPeer(one, subject, peer, situation, question)) && isProtocol(protocols, question))
      return action;
  }
  return undefined;
}

function isUnknown({ namespaces, pods, nodes, networks, domainNames }: ClusterPeer, direction: Direction): boolean {
  if (namespaces || pods) return false;
  return direction === 'ingress' || !(nodes || networks || domainNames);
}

function isPeer(
  { namespaces, pods, nodes, networks, domainNames }: ClusterPeer,
  subject: Endpoint,
  peer: Party,
  situation: Situation,
  question: Question,
) {
  if (namespaces) return peer.party === 'endpoint' && selectsNamespaceOf(namespaces, peer, situation);
  if (pods) return peer.party === 'endpoint' && selectsPod(pods, peer, situation);
  if (nodes) return peer.party === 'host' && selects(nodes, situation.node);
  const { family } = question;
  if (domainNames) {
    const answers = (situation.answers ?? []).filter(
      ({ endpoint, address }) => endpoint === subject.name && address === peer.addresses[family],
    );
    return peer.party === 'world' && answers.some(({ name }) => domainNames.some((domain) => isBelow(domain, name)));
  }
  return (networks ?? []).some((cidr) => holds(cidr, peer.addresses[family], family));
}

/** A star stands for one label or more. */
function isBelow(domain: string, name: string): boolean {
  const wanted = domain.split('.').reverse();
  const labels = name.split('.').reverse();
  if (wanted.at(-1) !== '*') return wanted.join('.') === labels.join('.');
  wanted.pop();
  return labels.length > wanted.length && wanted.every((label, at) => label === labels[at]);
}

/** No protocols: any traffic, ICMP included. */
function isProtocol(protocols: readonly ClusterProtocol[] | undefined, question: Question): boolean {
  if (protocols === undefined || protocols.length === 0) return true;
  return protocols.some((one) => {
    if (one.destinationNamedPort !== undefined) {
      const named = question.to.party === 'endpoint' ? namedPort(question.to, one.destinationNamedPort) : undefined;
      return named !== undefined && named.protocol === question.protocol && named.port === question.port;
    }
    if (question.protocol === 'icmp') return false;
    const wanted = one[question.protocol];
    if (!wanted) return false;
    const { number, range } = wanted.destinationPort ?? {};
    if (range) return question.port >= range.start && question.port <= range.end;
    return number === undefined || number === question.port;
  });
}
