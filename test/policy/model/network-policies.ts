import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './documents.ts';
import { holds, selects, selectsNamespaceOf } from './selector.ts';
import { type Direction, type Endpoint, namedPort, type Party, type Question, type Situation } from './situation.ts';

/**
 * What NetworkPolicies say about one direction of one flow; undefined when none governs it.
 *
 * Who is selected by at least one is isolated, and may do what at least one rule allows. What an endpoint has to do
 * with the host it is on is always allowed.
 */
export function networkPoliciesSay(
  situation: Situation,
  question: Question,
  direction: Direction,
  subject: Endpoint,
  peer: Party,
): 'allow' | 'deny' | undefined {
  const governing = situation.documents.filter(
    (document) =>
      document.kind === 'NetworkPolicy' &&
      document.metadata.namespace === subject.namespace &&
      selects(document.spec.podSelector, subject.labels) &&
      isAbout(document, direction),
  ) as NetworkPolicy[];
  if (governing.length === 0) return undefined;
  if (peer.party === 'host') return 'allow';
  for (const policy of governing) {
    const rules =
      direction === 'ingress'
        ? (policy.spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
        : (policy.spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    for (const { peers, ports } of rules) {
      if (allowsPeer(peers, policy, peer, situation, question) && allowsPort(ports, question)) return 'allow';
    }
  }
  return 'deny';
}

/** Without `policyTypes` a policy is about ingress, and about egress when it has rules of it. */
function isAbout({ spec }: NetworkPolicy, direction: Direction): boolean {
  if (spec.policyTypes && spec.policyTypes.length > 0)
    return spec.policyTypes.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
  return direction === 'ingress' || (spec.egress ?? []).length > 0;
}

/** No peers: any peer. */
function allowsPeer(
  peers: readonly NetworkPolicyPeer[] | undefined,
  policy: NetworkPolicy,
  peer: Party,
  situation: Situation,
  question: Question,
): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some(({ ipBlock, namespaceSelector, podSelector }) => {
    if (ipBlock) {
      const address = peer.addresses[question.family];
      return (
        holds(ipBlock.cidr, address, question.family) &&
        !(ipBlock.except ?? []).some((except) => holds(except, address, question.family))
      );
    }
    if (peer.party !== 'endpoint') return false;
    const inNamespace = namespaceSelector
      ? selectsNamespaceOf(namespaceSelector, peer, situation)
      : peer.namespace === policy.metadata.namespace;
    return inNamespace && selects(podSelector ?? {}, peer.labels);
  });
}

/** No ports: any traffic, ICMP included. With ports: nothing but these. */
function allowsPort(ports: readonly NetworkPolicyPort[] | undefined, question: Question): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some(({ protocol = 'TCP', port, endPort }) => {
    if (protocol.toLowerCase() !== question.protocol) return false;
    if (port === undefined) return true;
    if (typeof port === 'number') return question.port >= port && question.port <= (endPort ?? port);
    const named = question.to.party === 'endpoint' ? namedPort(question.to, port) : undefined;
    return named !== undefined && named.protocol === question.protocol && named.port === question.port;
  });
}
