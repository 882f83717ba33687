import type { ClusterRecords } from '../model/cluster.ts';
import { ClusterView } from './cluster-view.ts';
import type { IntentWriter, Store } from './contract.ts';
import { decodeShared, splitKey } from './etcd/keys.ts';
import type { Keyed } from './etcd/replica.ts';

/** Pages of what there was, and what has changed since, each key for itself. */
const [pageFacts, changeFacts, stateFact] = ['cluster/page/', 'cluster/change/', 'cluster/copy'];
/** What a version before pages puts aside. Where there is some, that one has run last. */
const [formerFacts, formerState] = ['cluster/record/', 'cluster/state'];

/** Keys of a page: to write each for itself would be most of what a host does when it joins a large cluster. */
const pageKeys = 1_000;
/** Changes from which on pages are made anew. */
const manyChanges = 10_000;

/** What a host has put aside of its cluster, so that it starts while the others cannot be reached. */
export interface CachedCluster {
  readonly clusterId: string;
  readonly prefix: string;
  readonly position: number;
  /** Whose own records are not among the keys; absent: a version before that wrote it. */
  readonly node?: string;
  /** Of the version that wrote it, which puts aside no records of a kind that it does not know. */
  readonly schema?: number;
  readonly keys: ReadonlyMap<string, Keyed>;
}

type Page = readonly (readonly [key: string, revision: number, text: string])[];

/** The cluster's records, as they were last known, among the facts of a host's own store. */
export class ClusterCache {
  readonly #store: Store;
  /** Hashes of keys that pages speak of: of others that are gone nothing need stay, and endpoints come and go for as long as a daemon runs. */
  #paged: ReadonlySet<number> = new Set();
  /** Whether a version before pages has run last, and they are yet to be made. */
  #isFormer = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Undefined: this host has never been in a cluster. */
  async read(): Promise<CachedCluster | undefined> {
    const former = await this.#store.fact(formerState);
    this.#isFormer = former !== undefined;
    const state = former ?? (await this.#store.fact(stateFact));
    if (state === undefined) return undefined;
    const keys = new Map<string, Keyed>();
    if (former === undefined) {
      for (const text of (await this.#store.facts(pageFacts)).values()) {
        for (const [key, revision, record] of JSON.parse(text) as Page) keys.set(key, { revision, text: record });
      }
    }
    this.#paged = hashesOf(keys.keys());
    for (const [key, fact] of await this.#store.facts(former === undefined ? changeFacts : formerFacts)) {
      const space = fact.indexOf(' ');
      if (space === -1) keys.delete(key);
      else keys.set(key, { revision: Number(fact.slice(0, space)), text: fact.slice(space + 1) });
    }
    return { ...(JSON.parse(state) as Omit<CachedCluster, 'keys'>), keys };
  }

  /** Undefined: this host has never been in a cluster. @throws VetchError as `ClusterStore.load` */
  async records(): Promise<ClusterRecords | undefined> {
    const cached = await this.read();
    if (!cached) return undefined;
    const view = new ClusterView();
    for (const [full, { text }] of cached.keys) {
      const split = splitKey(full);
      if (split) view.set(split.kind, split.key, decodeShared(split.kind, split.key, text));
    }
    return view;
  }

  /** Of a cluster that the host has left. */
  async clear(): Promise<void> {
    const all = await this.#all();
    await this.#store.transaction((writer) => {
      for (const name of all) writer.putFact(name, undefined);
    });
    this.#paged = new Set();
    this.#isFormer = false;
  }

  /** After `read`. @param changes by key; `undefined`: it is gone */
  async write(state: Omit<CachedCluster, 'keys'>, changes: ReadonlyMap<string, Keyed | undefined>): Promise<void> {
    // Two may be under way: nothing is waited for before the store is asked, so that the later one is written later.
    const [facts, fact] = this.#isFormer ? [formerFacts, formerState] : [changeFacts, stateFact];
    await this.#store.transaction((writer) => {
      for (const [key, keyed] of changes) {
        const gone = this.#paged.has(hash(key)) ? 'gone' : undefined;
        writer.putFact(facts + key, keyed ? `${keyed.revision} ${keyed.text}` : gone);
      }
      writer.putFact(fact, JSON.stringify(state));
    });
  }

  /**
   * After `read`: what has changed since then.
   *
   * @param known what that gave; undefined: nothing
   */
  async follow(
    state: Omit<CachedCluster, 'keys'>,
    changes: ReadonlyMap<string, Keyed | undefined>,
    known: CachedCluster | undefined,
  ): Promise<void> {
    const changed = (await this.#store.facts(changeFacts)).size + changes.size;
    if (known && !this.#isFormer && changed < manyChanges) return this.write(state, changes);
    const keys = new Map<string, Keyed>(known?.keys);
    for (const [key, keyed] of changes) {
      if (keyed) keys.set(key, keyed);
      else keys.delete(key);
    }
    const all = await this.#all();
    await this.#store.transaction((writer) => {
      for (const name of all) writer.putFact(name, undefined);
      writePages(writer, keys);
      writer.putFact(stateFact, JSON.stringify(state));
    });
    this.#paged = hashesOf(keys.keys());
    this.#isFormer = false;
  }

  /** Names of all facts of a cluster's. */
  async #all(): Promise<string[]> {
    const prefixes = [pageFacts, changeFacts, formerFacts];
    const names = await Promise.all(
      prefixes.map(async (prefix) => Array.from((await this.#store.facts(prefix)).keys(), (name) => prefix + name)),
    );
    return [...names.flat(), stateFact, formerState];
  }
}

function hashesOf(keys: Iterable<string>): Set<number> {
  const hashes = new Set<number>();
  for (const key of keys) hashes.add(hash(key));
  return hashes;
}

/** FNV-1a, as a small integer. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193);
  return sum | 0;
}

function writePages(writer: Pick<IntentWriter<void>, 'putFact'>, keys: ReadonlyMap<string, Keyed>): void {
  let page: [string, number, string][] = [];
  let number = 0;
  const end = () => {
    if (page.length > 0) writer.putFact(`${pageFacts}${number++}`, JSON.stringify(page satisfies Page));
    page = [];
  };
  for (const [key, { revision, text }] of keys) {
    page.push([key, revision, text]);
    if (page.length === pageKeys) end();
  }
  end();
}
