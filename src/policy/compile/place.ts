import { DECISION_ALLOW, DECISION_DENY, encodeDecision, POLICY_INGRESS, type PolicyDirection } from '../decision.ts';
import type { Profile } from '../identity/profile.ts';
import { type Clause, type CompiledDocument, NETWORK_POLICY_TIER } from './document.ts';
import type { Isolation, MatchedRule } from './evaluate.ts';
import { insert } from './insert.ts';
import { type PortRange, type PortSpec, resolvePorts } from './ports.ts';
import type { RowPlan } from './row.ts';
import type { Term, TermSpec } from './term.ts';

/** A clause as it concerns one subject. */
export interface PlacedClause extends MatchedRule {
  /** Undefined: any peer. */
  readonly terms: readonly Term[] | undefined;
  /** Ports that the peer's names complete. */
  readonly byPeer: PortSpec | undefined;
}

/** A clause of a document: as it concerns every subject, unless it has ports that the subject's names complete. */
export interface LinkedClause extends PlacedClause {
  readonly bySubject: PortSpec | undefined;
}

export interface LinkedDocument extends Omit<CompiledDocument, 'subject' | 'clauses'> {
  readonly subject: Term;
  /** By direction; undefined: the document says nothing about it. */
  readonly clauses: readonly [readonly LinkedClause[] | undefined, readonly LinkedClause[] | undefined];
}

/** @param termOf gives the term of a peer */
export function linkClause(
  document: CompiledDocument,
  direction: PolicyDirection,
  { rule, action, ports, peers }: Clause,
  termOf: (spec: TermSpec) => Term,
): LinkedClause {
  const named = ports !== undefined && ports.named.length > 0 ? ports : undefined;
  return {
    document,
    action,
    ...decisionsOf(document, direction, rule),
    ranges: ports?.ranges,
    terms: peers?.map(termOf),
    bySubject: direction === POLICY_INGRESS ? named : undefined,
    byPeer: direction === POLICY_INGRESS ? undefined : named,
  };
}

/** The clauses of all documents that select a profile, in the order in which they are asked; undefined: there is none. */
export function planRow(profile: Profile, direction: PolicyDirection): RowPlan | undefined {
  const documents: LinkedDocument[] = [];
  for (const term of profile.terms) {
    for (const document of term.subjectOf) {
      if (document.clauses[direction] !== undefined) insert(documents, document, compare);
    }
  }
  if (documents.length === 0) return undefined;
  const clauses: PlacedClause[] = [];
  for (const document of documents) {
    for (const clause of document.clauses[direction] ?? []) {
      const placed = placeClause(clause, profile);
      if (placed !== undefined) clauses.push(placed);
    }
  }
  return { clauses, domains: domainsOf(clauses), isolation: isolationBy(documents, direction) };
}

function isolationBy(documents: readonly LinkedDocument[], direction: PolicyDirection): Isolation {
  let underAudit: number | undefined;
  for (const { tier, audit, number } of documents) {
    if (tier !== NETWORK_POLICY_TIER) continue;
    const denial = decisionsOf({ number }, direction, undefined).deny;
    if (!audit) return { enforced: denial, all: denial };
    underAudit ??= denial;
  }
  return { enforced: undefined, all: underAudit };
}

function domainsOf(clauses: readonly PlacedClause[]): readonly string[] {
  const domains = new Set<string>();
  for (const { terms } of clauses) {
    for (const { spec } of terms ?? []) if (spec.kind === 'domain') domains.add(spec.pattern);
  }
  return [...domains].sort();
}

/** By tier, then priority, then name, so that the order depends on nothing else. */
function compare(a: LinkedDocument, b: LinkedDocument): number {
  if (a === b) return 0;
  return a.tier - b.tier || a.priority - b.priority || (a.key < b.key ? -1 : 1);
}

/** The same object for every subject, where its names complete nothing: most of what is compiled is placed so. */
function placeClause(clause: LinkedClause, { facts }: Profile): PlacedClause | undefined {
  if (clause.bySubject === undefined) return clause;
  const ranges = resolvePorts(clause.bySubject, facts.labels);
  return ranges.length === 0 ? undefined : { ...clause, ranges };
}

/** Of a clause for one peer that its terms match; undefined: the peer has none of its ports. */
export function rangesFor(clause: PlacedClause, peer: Profile): readonly PortRange[] | 'any' | undefined {
  const ranges = clause.byPeer === undefined ? clause.ranges : resolvePorts(clause.byPeer, peer.facts.labels);
  return ranges === undefined ? 'any' : ranges.length === 0 ? undefined : ranges;
}

function decisionsOf(document: Pick<CompiledDocument, 'number'>, direction: PolicyDirection, rule: number | undefined) {
  const decider = { document: document.number, direction, rule };
  return {
    allow: encodeDecision({ kind: DECISION_ALLOW, decider }),
    deny: encodeDecision({ kind: DECISION_DENY, decider }),
  };
}
