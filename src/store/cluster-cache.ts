import type { ClusterRecords } from '../model/cluster.ts';
import { ClusterView } from './cluster-view.ts';
import type { Store } from './contract.ts';
import { decodeShared, splitKey } from './etcd/keys.ts';
import type { Keyed } from './etcd/replica.ts';

const recordFacts = 'cluster/record/';
const stateFact = 'cluster/state';

/** What a host has put aside of its cluster, so that it starts while the others cannot be reached. */
export interface CachedCluster {
  readonly clusterId: string;
  readonly prefix: string;
  readonly position: number;
  readonly keys: ReadonlyMap<string, Keyed>;
}

/** The cluster's records, as they were last known, among the facts of a host's own store. */
export class ClusterCache {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Undefined: this host has never been in a cluster. */
  async read(): Promise<CachedCluster | undefined> {
    const state = await this.#store.fact(stateFact);
    if (state === undefined) return undefined;
    const keys = new Map<string, Keyed>();
    for (const [key, fact] of await this.#store.facts(recordFacts)) {
      const space = fact.indexOf(' ');
      keys.set(key, { revision: Number(fact.slice(0, space)), text: fact.slice(space + 1) });
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
    const keys = [...(await this.#store.facts(recordFacts)).keys()];
    await this.#store.transaction((writer) => {
      for (const key of keys) writer.putFact(recordFacts + key, undefined);
      writer.putFact(stateFact, undefined);
    });
  }

  /** @param changes by key; `undefined`: it is gone */
  async write(state: Omit<CachedCluster, 'keys'>, changes: ReadonlyMap<string, Keyed | undefined>): Promise<void> {
    await this.#store.transaction((writer) => {
      for (const [key, keyed] of changes) {
        writer.putFact(recordFacts + key, keyed && `${keyed.revision} ${keyed.text}`);
      }
      writer.putFact(stateFact, JSON.stringify(state));
    });
  }
}
