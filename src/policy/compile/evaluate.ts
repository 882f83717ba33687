import { DECISION_ALLOW, DECISION_AUDIT, DECISION_DENY, DECISION_KIND_SHIFT, encodeDecision } from '../decision.ts';
import type { PortEntry } from '../tables.ts';
import {
  type Action,
  ADMIN_TIER,
  BASELINE_TIER,
  type CompiledDocument,
  NETWORK_POLICY_TIER,
  type Tier,
} from './document.ts';
import { insert } from './insert.ts';
import { type PortSegment, portPrefixes } from './port-prefixes.ts';
import type { PortSets } from './port-sets.ts';
import { inRanges, type PortRange } from './ports.ts';

/** A rule that concerns a subject and a peer; in the order of tier, priority, document and rule. */
export interface MatchedRule {
  readonly document: Pick<CompiledDocument, 'tier' | 'priority' | 'audit'>;
  readonly action: Action;
  /** The decision if it decides. */
  readonly allow: number;
  readonly deny: number;
  /** Undefined: every protocol and port. */
  readonly ranges: readonly PortRange[] | undefined;
}

export interface Isolation {
  /** The decision of the first NetworkPolicy that isolates the subject, among those enforced; undefined: none does. */
  readonly enforced: number | undefined;
  /** The same, or else that of the first one under audit. */
  readonly all: number | undefined;
}

const allowed = encodeDecision({ kind: DECISION_ALLOW, decider: undefined });
/** Stands for the protocols that have no ports. */
const otherProtocol = 0;

/**
 * One decision of all rules that concern a subject and a peer: tiers, priorities, Pass and audit are weighed here, so
 * that a lookup never has to.
 *
 * @param isHost the peer is the host that the subject is on, which NetworkPolicy always lets through
 */
export function evaluate(all: readonly MatchedRule[], isolation: Isolation, isHost: boolean, sets: PortSets): number {
  const rules = isHost ? all.filter(({ document }) => document.tier !== NETWORK_POLICY_TIER) : all;
  const judge = new Judge(rules, isolation, isHost);
  const other = judge.decide(otherProtocol, 0);
  const entries: PortEntry[] = [];
  for (const protocol of protocolsOf(rules)) {
    const segments = mergedSegments(judge, protocol, boundariesOf(rules, protocol));
    entries.push(...portPrefixes(protocol, segments, other));
  }
  if (entries.length === 0) return other;
  return sets.intern([{ protocol: 0, port: 0, bits: 0, decision: other }, ...entries]);
}

/** Those with ports that some rule names, rising. */
function protocolsOf(rules: readonly MatchedRule[]): number[] {
  const protocols: number[] = [];
  for (const { ranges } of rules) {
    for (const { protocol } of ranges ?? []) insert(protocols, protocol, rising);
  }
  return protocols;
}

/** The first ports of all intervals in which no rule begins or ends, rising. */
function boundariesOf(rules: readonly MatchedRule[], protocol: number): number[] {
  const firsts = [0];
  for (const { ranges } of rules) {
    for (const range of ranges ?? []) {
      if (range.protocol !== protocol) continue;
      insert(firsts, range.first, rising);
      if (range.last < 0xffff) insert(firsts, range.last + 1, rising);
    }
  }
  return firsts;
}

function rising(a: number, b: number): number {
  return a - b;
}

function mergedSegments(judge: Judge, protocol: number, firsts: readonly number[]): PortSegment[] {
  const merged: PortSegment[] = [];
  for (const first of firsts) {
    const decision = judge.decide(protocol, first);
    if (merged.at(-1)?.decision !== decision) merged.push({ first, decision });
  }
  return merged;
}

class Judge {
  readonly #rules: readonly MatchedRule[];
  readonly #isolation: Isolation;
  readonly #isHost: boolean;
  readonly #hasAudit: boolean;
  /** The denial of the document under audit that handed on last. */
  #auditPass: number | undefined;

  constructor(rules: readonly MatchedRule[], isolation: Isolation, isHost: boolean) {
    this.#rules = rules;
    this.#isolation = isolation;
    this.#isHost = isHost;
    this.#hasAudit = isolation.enforced !== isolation.all || rules.some(({ document }) => document.audit);
  }

  decide(protocol: number, port: number): number {
    const enforced = this.#walk(protocol, port, false);
    if (!this.#hasAudit || isDenial(enforced)) return enforced;
    this.#auditPass = undefined;
    const all = this.#walk(protocol, port, true);
    return isDenial(all) ? asAudit(this.#attribute(all)) : enforced;
  }

  /** A denial with audit that there is not without: by a document under audit, or because one handed on. */
  #attribute(denial: number): number {
    const isolates = denial === this.#isolation.all && denial !== this.#isolation.enforced;
    const byAudit = isolates || this.#rules.some(({ document, deny }) => document.audit && deny === denial);
    return byAudit ? denial : (this.#auditPass ?? denial);
  }

  #walk(protocol: number, port: number, withAudit: boolean): number {
    const admin = this.#clusterTier(ADMIN_TIER, protocol, port, withAudit);
    if (admin !== undefined) return admin;
    const isolating = withAudit ? this.#isolation.all : this.#isolation.enforced;
    if (isolating === undefined) return this.#clusterTier(BASELINE_TIER, protocol, port, withAudit) ?? allowed;
    if (this.#isHost) return allowed;
    for (const rule of this.#rules) {
      if (rule.document.tier === NETWORK_POLICY_TIER && applies(rule, protocol, port, withAudit)) return rule.allow;
    }
    return isolating;
  }

  /** Undefined: the next tier is asked. */
  #clusterTier(tier: Tier, protocol: number, port: number, withAudit: boolean): number | undefined {
    let best: MatchedRule | undefined;
    let heard: MatchedRule['document'] | undefined;
    for (const rule of this.#rules) {
      if (rule.document.tier !== tier || rule.document === heard) continue;
      // Of the documents of one priority the strictest decides; those of the next are not asked after.
      if (best !== undefined && best.document.priority !== rule.document.priority) break;
      if (!applies(rule, protocol, port, withAudit)) continue;
      heard = rule.document;
      if (best === undefined || strictness[rule.action] > strictness[best.action]) best = rule;
    }
    if (best?.action === 'Pass') {
      if (best.document.audit) this.#auditPass = best.deny;
      return undefined;
    }
    return best?.action === 'Deny' ? best.deny : best?.allow;
  }
}

/** Of what two documents of one priority say, which the specification leaves open. Pass may still be denied after it. */
const strictness: Readonly<Record<Action, number>> = { Accept: 0, Pass: 1, Deny: 2 };

function applies({ document, ranges }: MatchedRule, protocol: number, port: number, withAudit: boolean): boolean {
  return (withAudit || !document.audit) && (ranges === undefined || inRanges(ranges, protocol, port));
}

function isDenial(decision: number): boolean {
  return decision >>> DECISION_KIND_SHIFT === DECISION_DENY;
}

function asAudit(denial: number): number {
  return (denial | (DECISION_AUDIT << DECISION_KIND_SHIFT)) >>> 0;
}
