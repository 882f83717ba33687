import type { Labels, PolicyDocument } from '../model/policy.ts';
import { type Capacities, checkCapacities, unlimited } from './compile/capacities.ts';
import { compileDocument } from './compile/document.ts';
import type { PairChange } from './compile/pair-table.ts';
import { RowCompiler } from './compile/row-compiler.ts';
import { Identities, type IdentitySeeds } from './identity/identities.ts';
import type { LearnedAddress, PolicyEndpoint } from './identity/policy-endpoint.ts';
import type { Party } from './identity/profile.ts';
import type { PolicyTables, PortEntry } from './tables.ts';

export interface PolicyCompilerOptions {
  /** Name of this node: its label `kubernetes.io/hostname`. */
  readonly node: string;
  /** Default: no limit. */
  readonly capacities?: Partial<Capacities> | undefined;
  readonly seeds?: PolicySeeds | undefined;
}

/** Numbers as the kernel has them: what has not changed keeps its own. */
export interface PolicySeeds extends IdentitySeeds {
  readonly portSets?: ReadonlyMap<number, readonly PortEntry[]> | undefined;
}

/** A change of anything that policy depends on. In each map undefined stands for what is removed. */
export interface PolicyUpdate {
  /** By `policyKey`. */
  readonly documents?: ReadonlyMap<string, PolicyDocument | undefined> | undefined;
  /** Labels by namespace; its name is a label by itself. */
  readonly namespaces?: ReadonlyMap<string, Labels | undefined> | undefined;
  /** By `Endpoint.number`. */
  readonly endpoints?: ReadonlyMap<number, PolicyEndpoint | undefined> | undefined;
  /** All of the host's own, without prefix length. */
  readonly hostAddresses?: Iterable<string> | undefined;
  /** By `learnedKey`. */
  readonly learned?: ReadonlyMap<string, LearnedAddress | undefined> | undefined;
}

/** One identity: what it stands for. */
export interface CompiledIdentity {
  readonly number: number;
  readonly party: Party;
  /** Empty but for endpoints. */
  readonly namespace: string;
  /** Those that some document asks for. */
  readonly labels: Labels;
  /** The longest block of some document that holds the address. */
  readonly block: string | undefined;
  /** Patterns of documents for the domain names that the address was learned by. */
  readonly domains: readonly string[];
}

/** What of {@link PolicyTables} has come, gone or changed: its keys, and the pairs themselves. */
export interface PolicyChanges {
  readonly standings: ReadonlySet<number>;
  readonly blocks: ReadonlySet<string>;
  readonly learned: ReadonlySet<string>;
  readonly pairs: readonly PairChange[];
  readonly portSets: ReadonlySet<number>;
}

/**
 * Documents, namespaces and endpoints in; the tables that decide out. A change compiles what it concerns: a known kind
 * of endpoint nothing, a new kind its row and column, a document the subjects that it selects.
 */
export class PolicyCompiler {
  readonly #documents = new Map<string, PolicyDocument>();
  readonly #byNumber = new Map<number, PolicyDocument>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #identities: Identities;
  readonly #rows: RowCompiler;
  readonly #capacities: Capacities;

  constructor({ node, capacities, seeds = {} }: PolicyCompilerOptions) {
    this.#capacities = { ...unlimited, ...capacities };
    this.#identities = new Identities(seeds);
    this.#rows = new RowCompiler(this.#identities, this.#namespaces, node, seeds.portSets ?? new Map());
  }

  /** Live: it changes with every update. */
  get tables(): PolicyTables {
    return this.#rows.tables;
  }

  /** By `policyKey`. */
  get documents(): ReadonlyMap<string, PolicyDocument> {
    return this.#documents;
  }

  documentNumbered(number: number): PolicyDocument | undefined {
    return this.#byNumber.get(number);
  }

  get namespaces(): ReadonlyMap<string, Labels> {
    return this.#namespaces;
  }

  /**
   * Applies all of a change or nothing.
   *
   * @throws VetchError MAP_FULL with the numbers: it does not fit; INVALID: an address that is none
   */
  update(update: PolicyUpdate): void {
    const undo = this.#inverse(update);
    try {
      this.#apply(update);
      checkCapacities(this.#rows.used, this.#capacities);
    } catch (error) {
      this.#apply(undo);
      throw error;
    }
  }

  /**
   * What has changed since the last call. Numbers that are no longer used are free again after it: call it once
   * what an update says is on its way to the kernel.
   */
  takeChanges(): PolicyChanges {
    this.#identities.profiles.sweep();
    return this.#rows.sweep();
  }

  /** Everybody that policy tells apart, and by what. */
  *identities(): Generator<CompiledIdentity> {
    for (const { number, facts } of this.#identities.profiles.values()) {
      const { party, namespace, labels, block, domains } = facts;
      yield { number, party, namespace, labels: Object.fromEntries(labels), block: block?.cidr, domains };
    }
  }

  /** Numbers of the endpoints that a document selects, rising. */
  selected(key: string): number[] {
    return this.#rows.selected(key);
  }

  /** What an endpoint was told. @param key of `learnedKey` */
  learned(key: string): LearnedAddress | undefined {
    return this.#identities.learned(key);
  }

  /** All that endpoints were told, by `learnedKey`. */
  learnedAddresses(): Map<string, LearnedAddress> {
    return this.#identities.learnedAddresses();
  }

  /** Patterns of the domain names that documents let an endpoint reach, in one order. */
  domainsOf(number: number): readonly string[] {
    return this.#rows.domainsOf(number);
  }

  #apply(update: PolicyUpdate): void {
    for (const [number, endpoint] of update.endpoints ?? []) this.#identities.setEndpoint(number, endpoint);
    if (update.hostAddresses !== undefined) this.#identities.setHostAddresses(update.hostAddresses);
    for (const [key, learned] of update.learned ?? []) this.#identities.setLearned(key, learned);
    for (const [namespace, labels] of update.namespaces ?? []) {
      if (labels === undefined) this.#namespaces.delete(namespace);
      else this.#namespaces.set(namespace, labels);
      this.#rows.namespaceChanged(namespace);
    }
    for (const [key, document] of update.documents ?? []) {
      this.#setDocument(key, document);
      this.#rows.setDocument(key, document && compileDocument(document));
    }
    this.#rows.settle();
  }

  #setDocument(key: string, document: PolicyDocument | undefined): void {
    const before = this.#documents.get(key);
    if (before && this.#byNumber.get(before.number) === before) this.#byNumber.delete(before.number);
    if (document === undefined) {
      this.#documents.delete(key);
      return;
    }
    this.#documents.set(key, document);
    this.#byNumber.set(document.number, document);
  }

  #inverse(update: PolicyUpdate): PolicyUpdate {
    return {
      documents: before(update.documents, (key) => this.#documents.get(key)),
      namespaces: before(update.namespaces, (namespace) => this.#namespaces.get(namespace)),
      endpoints: before(update.endpoints, (number) => this.#identities.endpoint(number)),
      hostAddresses: update.hostAddresses && this.#identities.hostAddresses,
      learned: before(update.learned, (key) => this.#identities.learned(key)),
    };
  }
}

function before<Key, Value>(
  changes: ReadonlyMap<Key, Value | undefined> | undefined,
  current: (key: Key) => Value | undefined,
): ReadonlyMap<Key, Value | undefined> {
  return new Map([...(changes?.keys() ?? [])].map((key) => [key, current(key)]));
}
