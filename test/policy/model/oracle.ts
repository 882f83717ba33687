import { clusterNetworkPoliciesSay } from './cluster-network-policies.ts';
import { networkPoliciesSay } from './network-policies.ts';
import type { Direction, Endpoint, Party, Question, Situation } from './situation.ts';

export interface Answer {
  readonly verdict: 'allow' | 'deny';
  /** Who denies; `isolation`: no policy could allow it. */
  readonly denies: readonly (Direction | 'isolation')[];
  /** It passes, and documents under audit would deny it. */
  readonly audited: boolean;
}

/**
 * May `from` begin this flow with `to`? A model of the semantics that is simple enough to be read beside the
 * specification: every question is answered from the documents, one rule after the other.
 */
export function answer(situation: Situation, question: Question): Answer {
  const { from, to } = question;
  if (from.party === 'endpoint' && to.party === 'endpoint') {
    if (from.name === to.name) return { verdict: 'allow', denies: [], audited: false };
    if (from.network !== to.network) return { verdict: 'deny', denies: ['isolation'], audited: false };
  }
  const denies = denying({ ...situation, documents: situation.documents.filter((one) => !isAudited(one)) }, question);
  const audited = denies.length === 0 && denying(situation, question).length > 0;
  return { verdict: denies.length === 0 ? 'allow' : 'deny', denies, audited };
}

/** A flow needs the consent of both its ends, as far as they are endpoints. */
function denying(situation: Situation, question: Question): Direction[] {
  const { from, to } = question;
  const denies: Direction[] = [];
  if (from.party === 'endpoint' && !consents(situation, question, 'egress', from, to)) denies.push('egress');
  if (to.party === 'endpoint' && !consents(situation, question, 'ingress', to, from)) denies.push('ingress');
  return denies;
}

/** Admin tier, then NetworkPolicies, then Baseline tier; what none of them decides about is allowed. */
function consents(
  situation: Situation,
  question: Question,
  direction: Direction,
  subject: Endpoint,
  peer: Party,
): boolean {
  const admin = clusterNetworkPoliciesSay('Admin', situation, question, direction, subject, peer);
  if (admin === 'Accept' || admin === 'Deny') return admin === 'Accept';
  const networkPolicies = networkPoliciesSay(situation, question, direction, subject, peer);
  if (networkPolicies) return networkPolicies === 'allow';
  return clusterNetworkPoliciesSay('Baseline', situation, question, direction, subject, peer) !== 'Deny';
}

function isAudited({ metadata }: Situation['documents'][number]): boolean {
  return metadata.annotations?.['vetch.io/enforcement'] === 'audit';
}
