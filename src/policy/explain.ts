import type { PolicyDocument } from '../model/policy.ts';
import { DECISION_AUDIT, DECISION_DENY, POLICY_EGRESS, POLICY_INGRESS, type PolicyDirection } from './decision.ts';
import { lookUp, type Traffic, type Verdict } from './lookup.ts';
import type { PolicyTables, Standing } from './tables.ts';

/** One party to the traffic asked about. */
export interface ExplainedParty {
  readonly identity: number;
  /** Of an endpoint, in the family of the traffic; undefined: the world or the host, which decide nothing. */
  readonly standing?: Standing | undefined;
}

export interface DecidedBy {
  readonly kind: PolicyDocument['kind'];
  /** Empty for a ClusterNetworkPolicy. */
  readonly namespace: string;
  readonly name: string;
  /** Index in the document's list of that direction; null: the document isolates, and no rule matched. */
  readonly rule: number | null;
}

export interface SideExplanation {
  readonly verdict: 'allow' | 'deny';
  /** Null: no document, but the default. */
  readonly decidedBy: DecidedBy | null;
  /** It passes, and `decidedBy` is under audit and would deny it. */
  readonly audit: boolean;
}

/** `decidedBy` is that of the side that denies, the sender's first; else the receiver's, else the sender's. */
export interface Explanation extends SideExplanation {
  readonly egress: SideExplanation;
  readonly ingress: SideExplanation;
}

/** Why traffic passes or not, by the lookups that the datapath makes in the tables that it has. */
export function explain(
  tables: PolicyTables,
  documents: Iterable<PolicyDocument>,
  { from, to, traffic }: { readonly from: ExplainedParty; readonly to: ExplainedParty; readonly traffic: Traffic },
): Explanation {
  const byNumber = new Map([...documents].map((document) => [document.number, document]));
  const side = (subject: ExplainedParty, peer: ExplainedParty, direction: PolicyDirection): SideExplanation =>
    describe(subject.standing && lookUp(tables, subject.standing, peer.identity, direction, traffic), byNumber);
  const egress = side(from, to, POLICY_EGRESS);
  const ingress = side(to, from, POLICY_INGRESS);
  return { ...deciding(egress, ingress), egress, ingress };
}

function deciding(egress: SideExplanation, ingress: SideExplanation): SideExplanation {
  const sides = [egress, ingress];
  const byEither = sides.find(({ verdict }) => verdict === 'deny') ?? sides.find(({ audit }) => audit);
  return byEither ?? (ingress.decidedBy === null ? egress : ingress);
}

function describe(verdict: Verdict | undefined, byNumber: ReadonlyMap<number, PolicyDocument>): SideExplanation {
  const decider = verdict?.decider;
  const document = decider && byNumber.get(decider.document);
  return {
    verdict: verdict?.kind === DECISION_DENY ? 'deny' : 'allow',
    decidedBy: document
      ? { kind: document.kind, namespace: document.namespace, name: document.name, rule: decider?.rule ?? null }
      : null,
    audit: verdict?.kind === DECISION_AUDIT,
  };
}
