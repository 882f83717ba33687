import type { Labels } from '../../model/policy.ts';
import {
  POLICY_EGRESS,
  POLICY_INGRESS,
  type PolicyDirection,
  STANDING_EGRESS,
  STANDING_INGRESS,
  STANDING_NAMES,
} from '../decision.ts';
import type { Block } from '../identity/blocks.ts';
import type { Identities } from '../identity/identities.ts';
import { namespaceLabels } from '../identity/policy-endpoint.ts';
import type { Profile } from '../identity/profile.ts';
import { NumberTable } from '../number-table.ts';
import type { LearnedIdentity, PolicyTables, PortEntry, Standings } from '../tables.ts';
import type { Capacities } from './capacities.ts';
import { compileCell, compileRow } from './compile-row.ts';
import type { CompiledDocument } from './document.ts';
import { DocumentTable, directions } from './document-table.ts';
import { PairTable } from './pair-table.ts';
import { type LinkedDocument, planRow } from './place.ts';
import { PortSets } from './port-sets.ts';
import type { Row } from './row.ts';
import { anchorsOf, namespaceAnchor, type Surroundings, type Term, termMatches } from './term.ts';
import { TermTable } from './term-table.ts';

/** Label of a node, the only one that it has here. */
const nodeNameLabel = 'kubernetes.io/hostname';

/** Keeps the tables equal to the documents and the identities, by compiling what a change has made stale. */
export class RowCompiler {
  readonly #identities: Identities;
  readonly #terms = new TermTable();
  readonly #documents: DocumentTable;
  readonly #sets: PortSets;
  readonly #pairs: PairTable;
  readonly #around: Surroundings;

  readonly #standings = new NumberTable<Standings>();
  readonly #peers = new Peers();
  #blocks: ReadonlyMap<string, number> = new Map();
  readonly #learned = new Map<string, LearnedIdentity>();

  #staleRows = new Map<Row, Profile>();
  readonly #staleNamespaces = new Set<string>();
  readonly #newDocuments = new Set<LinkedDocument>();
  readonly #staleStandings = new Set<number>();
  #changedStandings = new Set<number>();
  #changedBlocks = new Set<string>();
  #changedLearned = new Set<string>();

  constructor(
    identities: Identities,
    namespaces: ReadonlyMap<string, Labels>,
    node: string,
    portSets: ReadonlyMap<number, readonly PortEntry[]>,
  ) {
    this.#identities = identities;
    this.#documents = new DocumentTable(this.#terms, identities);
    this.#sets = new PortSets(portSets);
    this.#pairs = new PairTable(this.#sets);
    this.#around = {
      namespaceLabels: (namespace) => namespaceLabels(namespace, namespaces.get(namespace)),
      holds: (cidr: string, block: Block) => identities.blocks.chain(block).some((outer) => outer.cidr === cidr),
      nodeLabels: new Map([[nodeNameLabel, node]]),
    };
  }

  get tables(): PolicyTables {
    return {
      standings: this.#standings,
      blocks: this.#blocks,
      learned: this.#learned,
      pairs: this.#pairs.tables,
      portSets: this.#sets.tables,
    };
  }

  get used(): Capacities {
    return {
      documents: this.#documents.size,
      pairs: this.#pairs.size,
      ports: this.#sets.entries,
      blocks: this.#blocks.size,
      learned: this.#learned.size,
    };
  }

  /** Takes effect with {@link RowCompiler.settle}, as everything. */
  setDocument(key: string, compiled: CompiledDocument | undefined): void {
    const before = this.#documents.get(key);
    if (before !== undefined) {
      this.#staleSubjects(before);
      this.#newDocuments.delete(before);
    }
    if (compiled === undefined) this.#documents.delete(key);
    else this.#newDocuments.add(this.#documents.put(compiled));
  }

  namespaceChanged(namespace: string): void {
    this.#staleNamespaces.add(namespace);
  }

  selected(key: string): number[] {
    const numbers = new Set<number>();
    for (const { users } of this.#documents.get(key)?.subject.members ?? []) {
      for (const { endpoint } of users) if (endpoint !== undefined) numbers.add(endpoint);
    }
    return [...numbers].sort((a, b) => a - b);
  }

  domainsOf(number: number): readonly string[] {
    const identity = this.#identities.identityOf(number);
    const patterns = [identity?.v4, identity?.v6].flatMap(
      (profile) => profile?.rows[POLICY_EGRESS].plan?.domains ?? [],
    );
    return [...new Set(patterns)].sort();
  }

  settle(): void {
    const { renewed, otherPorts, otherSubjects, gone, moved, movedLearned } = this.#identities.settle();
    for (const number of moved) this.#staleStandings.add(number);
    for (const profile of gone) this.#forget(profile);
    for (const term of this.#terms.fresh) this.#matchWithAll(term);
    for (const profile of renewed) {
      this.#matchTerms(profile);
      if (profile.facts.party === 'host') this.#staleInAllRows(profile.number);
    }
    for (const profile of otherPorts) {
      for (const direction of directions) this.#staleRow(profile, direction);
      for (const term of profile.terms) this.#staleColumn(term, profile.number);
    }
    for (const profile of otherSubjects) for (const direction of directions) this.#staleRow(profile, direction);
    for (const namespace of this.#staleNamespaces) {
      for (const profile of this.#identities.profiles.withAnchors([namespaceAnchor(namespace)]))
        this.#matchTerms(profile);
    }
    for (const document of this.#newDocuments) this.#staleSubjects(document);
    this.#terms.fresh.clear();
    this.#staleNamespaces.clear();
    this.#newDocuments.clear();
    this.#compileStale();
    this.#settleBlocks();
    for (const key of movedLearned) this.#settleLearned(key);
    this.#settleStandings();
  }

  /** What has changed since the last call. */
  sweep() {
    const [standings, blocks, learned] = [this.#changedStandings, this.#changedBlocks, this.#changedLearned];
    this.#changedStandings = new Set();
    this.#changedBlocks = new Set();
    this.#changedLearned = new Set();
    return { standings, blocks, learned, pairs: this.#pairs.sweep(), portSets: this.#sets.sweep() };
  }

  /** The term is new, and so is every document that uses it: nothing gets stale by it alone. */
  #matchWithAll(term: Term): void {
    for (const profile of this.#identities.profiles.withAnchors(anchorsOf(term.spec))) {
      if (!termMatches(term.spec, profile, this.#around)) continue;
      term.members.add(profile);
      profile.terms.add(term);
    }
  }

  /** The terms of a profile whose facts, or whose namespace's labels, are others now. */
  #matchTerms(profile: Profile): void {
    const matching = new Set<Term>();
    for (const term of this.#terms.candidates(this.#identities.profiles.anchors(profile))) {
      if (termMatches(term.spec, profile, this.#around)) matching.add(term);
    }
    for (const term of profile.terms) {
      if (matching.has(term)) continue;
      term.members.delete(profile);
      profile.terms.delete(term);
      this.#membershipChanged(term, profile);
    }
    for (const term of matching) {
      if (profile.terms.has(term)) continue;
      term.members.add(profile);
      profile.terms.add(term);
      this.#membershipChanged(term, profile);
    }
  }

  #membershipChanged(term: Term, profile: Profile): void {
    for (const { clauses } of term.subjectOf) {
      for (const direction of directions) if (clauses[direction] !== undefined) this.#staleRow(profile, direction);
    }
    this.#staleColumn(term, profile.number);
  }

  #staleSubjects({ clauses, subject }: LinkedDocument): void {
    for (const direction of directions) {
      if (clauses[direction] === undefined) continue;
      for (const profile of subject.members) this.#staleRow(profile, direction);
    }
  }

  #staleColumn(term: Term, peer: number): void {
    for (const { document, direction } of term.peerOf) {
      for (const subject of document.subject.members) this.#staleCell(subject, direction, peer);
    }
  }

  #staleInAllRows(peer: number): void {
    for (const subject of this.#identities.profiles.values()) {
      for (const direction of directions) this.#staleCell(subject, direction, peer);
    }
  }

  #staleRow(profile: Profile, direction: PolicyDirection): void {
    const row = profile.rows[direction];
    row.stale = 'all';
    this.#staleRows.set(row, profile);
  }

  #staleCell(profile: Profile, direction: PolicyDirection, peer: number): void {
    const row = profile.rows[direction];
    if (row.stale === 'all') return;
    row.stale ??= new Set();
    row.stale.add(peer);
    this.#staleRows.set(row, profile);
  }

  /** Its rows go, and what others decide about it. */
  #forget(profile: Profile): void {
    for (const term of profile.terms) {
      term.members.delete(profile);
      this.#staleColumn(term, profile.number);
    }
    profile.terms.clear();
    if (profile.facts.party === 'host') this.#staleInAllRows(profile.number);
    for (const row of profile.rows) {
      this.#pairs.replace(row, new Map());
      this.#staleRows.delete(row);
    }
  }

  #compileStale(): void {
    const { profiles } = this.#identities;
    for (const [row, profile] of this.#staleRows) {
      if (row.stale === 'all') {
        const before = row.plan;
        row.plan = profile.subjects > 0 ? planRow(profile, row.direction) : undefined;
        this.#pairs.replace(row, row.plan ? compileRow(row.plan, profiles.hosts, this.#sets) : new Map());
        if (
          (before === undefined) !== (row.plan === undefined) ||
          before?.domains.join() !== row.plan?.domains.join()
        ) {
          for (const { endpoint } of profile.users) if (endpoint !== undefined) this.#staleStandings.add(endpoint);
        }
      } else if (row.plan !== undefined) {
        const rest = row.decisions.get(0);
        for (const number of row.stale ?? []) {
          const peer = profiles.get(number);
          const decision = peer && compileCell(row.plan, peer, this.#sets);
          this.#pairs.set(row, number, decision === rest ? undefined : decision);
        }
      }
      row.stale = undefined;
    }
    this.#staleRows = new Map();
  }

  #settleBlocks(): void {
    const before = this.#blocks;
    this.#blocks = this.#identities.blockIdentities();
    for (const [cidr, number] of this.#blocks) if (before.get(cidr) !== number) this.#changedBlocks.add(cidr);
    for (const cidr of before.keys()) if (!this.#blocks.has(cidr)) this.#changedBlocks.add(cidr);
  }

  #settleLearned(key: string): void {
    const profile = this.#identities.learnedIdentity(key);
    const expired = this.#identities.learned(key)?.expired ?? false;
    if (profile === undefined) this.#learned.delete(key);
    else this.#learned.set(key, { identity: profile.number, expired });
    this.#changedLearned.add(key);
  }

  #settleStandings(): void {
    for (const number of this.#staleStandings) {
      const identity = this.#identities.identityOf(number);
      if (identity === undefined) this.#standings.delete(number);
      else if (this.#identities.endpoint(number)?.remote) {
        this.#standings.set(number, this.#peers.of(identity.v4.number, identity.v6.number));
      } else this.#standings.set(number, { v4: standingOf(identity.v4), v6: standingOf(identity.v6) });
      this.#changedStandings.add(number);
    }
    this.#staleStandings.clear();
  }
}

/** Who endpoints on other hosts are: judged there. Most are somebody that many others are, too, and have one object with them. */
class Peers {
  readonly #known = new Map<number, Standings>();

  of(v4: number, v6: number): Standings {
    if (v4 !== v6) return { v4: { identity: v4, flags: 0 }, v6: { identity: v6, flags: 0 } };
    let both = this.#known.get(v4);
    if (!both) {
      const standing = { identity: v4, flags: 0 };
      both = { v4: standing, v6: standing };
      this.#known.set(v4, both);
    }
    return both;
  }
}

function standingOf({ number, rows }: Profile) {
  const ingress = rows[POLICY_INGRESS].plan === undefined ? 0 : STANDING_INGRESS;
  const egress = rows[POLICY_EGRESS].plan === undefined ? 0 : STANDING_EGRESS;
  const names = rows[POLICY_EGRESS].plan?.domains.length ? STANDING_NAMES : 0;
  return { identity: number, flags: ingress | egress | names };
}
