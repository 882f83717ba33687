import { POLICY_EGRESS, POLICY_INGRESS, type PolicyDirection } from '../decision.ts';
import type { Identities } from '../identity/identities.ts';
import { namedPortLabel } from '../identity/named-port.ts';
import type { Clause, CompiledDocument } from './document.ts';
import { type LinkedClause, type LinkedDocument, linkClause } from './place.ts';
import type { PeerUse, Term, TermSpec } from './term.ts';
import type { TermTable } from './term-table.ts';

interface Entry {
  readonly document: LinkedDocument;
  readonly peers: readonly { readonly term: Term; readonly use: PeerUse }[];
  /** Every term once for each use. */
  readonly terms: readonly Term[];
  readonly labelKeys: readonly string[];
  readonly blocks: readonly string[];
  readonly domains: readonly string[];
}

/** Documents joined with the terms that they use, and what they make relevant. */
export class DocumentTable {
  readonly #byKey = new Map<string, Entry>();
  readonly #terms: TermTable;
  readonly #identities: Identities;

  constructor(terms: TermTable, identities: Identities) {
    this.#terms = terms;
    this.#identities = identities;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): LinkedDocument | undefined {
    return this.#byKey.get(key)?.document;
  }

  /** Adds, or replaces the one with that key. */
  put(compiled: CompiledDocument): LinkedDocument {
    const entry = this.#link(compiled);
    // The old one goes last, so that what both use stays in use.
    this.delete(compiled.key);
    this.#byKey.set(compiled.key, entry);
    return entry.document;
  }

  delete(key: string): void {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return;
    this.#byKey.delete(key);
    entry.document.subject.subjectOf.delete(entry.document);
    for (const { term, use } of entry.peers) term.peerOf.delete(use);
    for (const term of entry.terms) this.#terms.release(term);
    for (const labelKey of entry.labelKeys) this.#identities.unuseKey(labelKey);
    for (const block of entry.blocks) this.#identities.unuseBlock(block);
    for (const pattern of entry.domains) this.#identities.unuseDomain(pattern);
  }

  #link(compiled: CompiledDocument): Entry {
    const needs = needsOf(compiled);
    for (const labelKey of needs.labelKeys) this.#identities.useKey(labelKey);
    for (const block of needs.blocks) this.#identities.useBlock(block);
    for (const pattern of needs.domains) this.#identities.useDomain(pattern);
    const terms: Term[] = [];
    const take = (spec: TermSpec): Term => {
      const term = this.#terms.take(spec);
      terms.push(term);
      return term;
    };
    const link = (direction: PolicyDirection): readonly LinkedClause[] | undefined =>
      compiled.clauses[direction]?.filter(hasPorts).map((clause) => linkClause(compiled, direction, clause, take));
    const { key, number, tier, priority, audit } = compiled;
    const subject = take(compiled.subject);
    const clauses = [link(POLICY_INGRESS), link(POLICY_EGRESS)] as const;
    const document: LinkedDocument = { key, number, tier, priority, audit, subject, clauses };
    document.subject.subjectOf.add(document);
    const peers: Entry['peers'][number][] = [];
    for (const direction of directions) {
      const distinct = new Set(document.clauses[direction]?.flatMap((clause) => clause.terms ?? []));
      for (const term of distinct) {
        const use = { document, direction };
        term.peerOf.add(use);
        peers.push({ term, use });
      }
    }
    return { document, peers, terms, ...needs };
  }
}

export const directions = [POLICY_INGRESS, POLICY_EGRESS] as const;

/** Of a clause without, nothing is ever asked. */
function hasPorts({ ports }: Clause): boolean {
  return ports === undefined || ports.ranges.length + ports.named.length > 0;
}

/** The label keys, blocks and domain names that make a difference to a document. */
function needsOf({ subject, clauses }: CompiledDocument): Pick<Entry, 'labelKeys' | 'blocks' | 'domains'> {
  const labelKeys = new Set<string>();
  const blocks = new Set<string>();
  const domains = new Set<string>();
  const specs = [subject];
  for (const clause of clauses.flatMap((ofDirection) => ofDirection ?? [])) {
    specs.push(...(clause.peers ?? []));
    for (const { name } of clause.ports?.named ?? []) labelKeys.add(namedPortLabel(name));
  }
  for (const spec of specs) {
    if (spec.kind === 'endpoints') for (const { key } of spec.pods) labelKeys.add(key);
    if (spec.kind === 'block') for (const cidr of [spec.cidr, ...spec.except]) blocks.add(cidr);
    if (spec.kind === 'domain') domains.add(spec.pattern);
  }
  return { labelKeys: [...labelKeys], blocks: [...blocks], domains: [...domains] };
}
