import type { DecidedBy } from '../api/schemas/flow.ts';
import type { PolicyDocument } from '../model/policy.ts';
import {
  DECISION_AUDIT,
  DECISION_DENY,
  type Decider,
  POLICY_EGRESS,
  POLICY_INGRESS,
  type PolicyDirection,
} from './decision.ts';
import { lookUp, type Traffic, type Verdict } from './lookup.ts';
import type { PolicyTables, Standing } from './tables.ts';

/** One party to the traffic asked about. */
export interface ExplainedParty {
  readonly identity: number;
  /** Of an endpoint, in the family of the traffic; undefined: the world or the host, which decide nothing. */
  readonly standing?: Standing | undefined;
}

/** A document by its number; undefined: it is gone. */
export type DocumentNumbered = (number: number) => PolicyDocument | undefined;

export interface SideExplanation {
  readonly verdict: 'allow' | 'deny';
  /** Null: no document, but the default. Its rule is the index in that direction; null: it isolates, and no rule matched. */
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
  documentNumbered: DocumentNumbered,
  { from, to, traffic }: { readonly from: ExplainedParty; readonly to: ExplainedParty; readonly traffic: Traffic },
): Explanation {
  const side = (subject: ExplainedParty, peer: ExplainedParty, direction: PolicyDirection): SideExplanation =>
    describe(subject.standing && lookUp(tables, subject.standing, peer.identity, direction, traffic), documentNumbered);
  const egress = side(from, to, POLICY_EGRESS);
  const ingress = side(to, from, POLICY_INGRESS);
  return explanationOf(egress, ingress);
}

/** What comes of both sides. */
export function explanationOf(egress: SideExplanation, ingress: SideExplanation): Explanation {
  return { ...deciding(egress, ingress), egress, ingress };
}

function deciding(egress: SideExplanation, ingress: SideExplanation): SideExplanation {
  const sides = [egress, ingress];
  const byEither = sides.find(({ verdict }) => verdict === 'deny') ?? sides.find(({ audit }) => audit);
  return byEither ?? (ingress.decidedBy === null ? egress : ingress);
}

function describe(verdict: Verdict | undefined, documentNumbered: DocumentNumbered): SideExplanation {
  return {
    verdict: verdict?.kind === DECISION_DENY ? 'deny' : 'allow',
    decidedBy: (verdict?.decider && decidedBy(verdict.decider, documentNumbered)) ?? null,
    audit: verdict?.kind === DECISION_AUDIT,
  };
}

/** The document and the rule, as people call them; null: the document is gone. */
export function decidedBy(decider: Decider, documentNumbered: DocumentNumbered): DecidedBy | null {
  const document = documentNumbered(decider.document);
  if (document === undefined) return null;
  const { kind, namespace, name } = document;
  return { kind, namespace: namespace === '' ? null : namespace, name, rule: ruleName(document, decider) };
}

/** A rule's own name, else its index in the list of its direction; null: the document isolates, and none matched. */
function ruleName({ kind, spec }: PolicyDocument, { direction, rule }: Decider): string | number | null {
  if (rule === undefined) return null;
  if (kind === 'NetworkPolicy') return rule;
  const rules = direction === POLICY_EGRESS ? spec.egress : spec.ingress;
  return rules?.[rule]?.name ?? rule;
}
