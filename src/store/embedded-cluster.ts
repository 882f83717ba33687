import type { Database, RootDatabase } from 'lmdb';
import { VetchError } from '../api/error.ts';
import type { ClusterRecords } from '../model/cluster.ts';
import type { ClusterStore, ClusterWriter } from './cluster-contract.ts';
import { checkWrites, withHeldInAdvance } from './cluster-rules.ts';
import { ClusterView } from './cluster-view.ts';
import { gatherWrites, type SharedKind } from './cluster-writes.ts';
import { decodeRecord } from './codec.ts';
import { commit } from './lmdb-commit.ts';
import { Serial } from './serial.ts';

type Databases = Readonly<Record<SharedKind, Database<string, string>>>;

/** A cluster of one host, in that host's own store: nobody else changes it, and nobody is told of anything. */
export class EmbeddedCluster implements ClusterStore {
  readonly warnings: readonly string[] = [];
  readonly #root: RootDatabase<string, string>;
  readonly #databases: Databases;
  readonly #path: string;
  readonly #serial = new Serial();
  #view: ClusterView | undefined;
  #closed = false;

  constructor(root: RootDatabase<string, string>, databases: Databases, path: string) {
    this.#root = root;
    this.#databases = databases;
    this.#path = path;
  }

  async load(): Promise<ClusterRecords> {
    this.#checkOpen();
    return this.#serial.run(() => this.#records().copy());
  }

  async transaction(change: (writer: ClusterWriter) => void): Promise<void> {
    this.#checkOpen();
    const asked = gatherWrites(change);
    await this.#serial.run(async () => {
      const view = this.#records();
      const writes = withHeldInAdvance(view, asked);
      checkWrites(view, writes);
      await commit(this.#root, this.#path, () => {
        for (const { kind, key, text } of writes) {
          if (text === undefined) this.#databases[kind].remove(key);
          else this.#databases[kind].put(key, text);
        }
      });
      view.apply(writes);
    });
  }

  follow(): void {}

  publish(): void {}

  async told(): Promise<void> {}

  async settled(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
    await this.#serial.done;
  }

  /** Read once: the process that has the store open is alone. */
  #records(): ClusterView {
    if (this.#view) return this.#view;
    const view = new ClusterView();
    for (const kind of ['networks', 'addresses', 'identities', 'policies'] as const) {
      for (const { key, value } of this.#databases[kind].getRange())
        view.set(kind, key, decodeRecord(kind, key, value));
    }
    for (const { key, value } of this.#databases.namespaces.getRange()) {
      view.namespaces.set(key, decodeRecord('namespaces', key, value).labels);
    }
    this.#view = view;
    return view;
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    throw new VetchError('UNAVAILABLE', `the state in ${this.#path} is closed`, 'open it again');
  }
}
