import { DECISION_ALLOW, DECISION_DENY, encodeDecision, POLICY_INGRESS, type PolicyDirection } from '../decision.ts';
import type { Profile } from '../identity/profile.ts';
import { type Clause, type CompiledDocument, NETWORK_POLICY_TIER } from './document.ts';
import type { MatchedRule } from './evaluate.ts';
import { type PortRange, type PortSpec, resolvePorts } from './ports.ts';
import type { RowPlan } from './row.ts';
import type { Term } from './term.ts';

/** A clause of a document with the terms of its peers. */
export interface LinkedClause extends Omit<Clause, 'peers'> {
  /** Undefined: any peer. */
  readonly terms: readonly Term[] | undefined;
}

export interface LinkedDocument extends Omit<CompiledDocument, 'subject' | 'clauses'> {
  readonly subject: Term;
  /** By direction; undefined: the document says nothing about it. */
  readonly clauses: readonly [readonly LinkedClause[] | undefined, readonly LinkedClause[] | undefined];
}

/** A clause as it concerns one subject. */
export interface PlacedClause extends MatchedRule {
  /** Undefined: any peer. */
  readonly terms: readonly Term[] | undefined;
  /** Ports that the peer's names complete. */
  readonly byPeer: PortSpec | undefined;
}

/** The clauses of all documents that select a profile, in the order in which they are asked; undefined: there is none. */
export function planRow(profile: Profile, direction: PolicyDirection): RowPlan | undefined {
  const documents: LinkedDocument[] = [];
  for (const term of profile.terms) {
    for (const document of term.subjectOf) if (document.clauses[direction] !== undefined) documents.push(document);
  }
  if (documents.length === 0) return undefined;
  documents.sort(compare);
  const isolating = documents.filter(({ tier }) => tier === NETWORK_POLICY_TIER);
  const denial = (document: LinkedDocument | undefined): number | undefined =>
    document && decisionsOf(document, direction, undefined).deny;
  const enforced = denial(isolating.find(({ audit }) => !audit));
  const clauses = documents.flatMap((document) => placeDocument(document, direction, profile));
  return {
    clauses,
    domains: domainsOf(clauses),
    isolation: { enforced, all: enforced ?? denial(isolating[0]) },
  };
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
  return a.tier - b.tier || a.priority - b.priority || (a.key < b.key ? -1 : 1);
}

function placeDocument(document: LinkedDocument, direction: PolicyDirection, subject: Profile): PlacedClause[] {
  const placed: PlacedClause[] = [];
  for (const { rule, action, terms, ports } of document.clauses[direction] ?? []) {
    const isByPeer = direction !== POLICY_INGRESS && ports !== undefined && ports.named.length > 0;
    const ranges = portsAt(ports, isByPeer ? undefined : subject.facts.labels);
    if (ranges?.length === 0 && !isByPeer) continue;
    const { allow, deny } = decisionsOf(document, direction, rule);
    placed.push({ document, action, allow, deny, terms, ranges, byPeer: isByPeer ? ports : undefined });
  }
  return placed;
}

function portsAt(ports: PortSpec | undefined, labels: ReadonlyMap<string, string> | undefined) {
  return labels === undefined || ports === undefined ? ports?.ranges : resolvePorts(ports, labels);
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
