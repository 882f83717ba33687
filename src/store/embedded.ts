import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';
import { VetchError } from '../api/error.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import type { ClusterStore } from './cluster-contract.ts';
import { decodeRecord, encodeRecord, tooNew } from './codec.ts';
import type { HostIntent, IntentWriter, Store } from './contract.ts';
import { EmbeddedCluster } from './embedded-cluster.ts';
import { commit } from './lmdb-commit.ts';
import { isLmdbFile } from './lmdb-file.ts';
import { type RecordKind, type RecordOf, recordSchema } from './records.ts';
import { holderRecord, liveHolder } from './writer-lock.ts';

type Texts = Database<string, string>;
type HostKind = 'networks' | 'endpoints' | 'deny' | 'services';

interface Databases extends Record<HostKind, Texts> {
  /** `schema`, `writer`, and facts. */
  readonly meta: Texts;
}

/**
 * Bytes of address space for the file, beyond which lmdb maps it again: it is no limit. lmdb would begin with little, map
 * the whole file again each time that it has doubled, and keep the former mappings: the same pages were in memory twice.
 */
const mapSize = 256 * 2 ** 20;

/** A host's own store; and the cluster's, where there is none but this host. */
export interface EmbeddedStore extends Store {
  readonly cluster: ClusterStore;
}

interface Write {
  readonly database: keyof Databases;
  readonly key: string;
  /** Absent: remove. */
  readonly value?: string;
}

/**
 * Opens the store of this host, `state.mdb` in `directory`, which is made if it is not there.
 *
 * One lmdb environment; each call is one transaction, on the disk (fsync) before its promise resolves.
 *
 * @throws VetchError IN_USE: another live process has it open; UNSUPPORTED: written by a newer version; INTERNAL: the file
 *   is not a store
 */
export async function openEmbeddedStore(directory: string): Promise<EmbeddedStore> {
  const path = join(directory, 'state.mdb');
  let root: RootDatabase<string, string>;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!isLmdbFile(path)) throw new Error('it is not a store, or cut off');
    // Without overlappingSync a commit is flushed before its promise resolves.
    root = open({ path, noSubdir: true, encoding: 'string', maxDbs: 16, overlappingSync: false, mapSize });
  } catch (cause) {
    throw new VetchError(
      'INTERNAL',
      `the state in ${path} cannot be opened: ${cause instanceof Error ? cause.message : cause}`,
      'check its permissions and the disk, restore a copy, or move it away to begin with an empty one',
      { cause },
    );
  }
  try {
    const table = (name: string): Texts => root.openDB<string, string>({ name, encoding: 'string' });
    const databases: Databases = {
      networks: table('networks'),
      endpoints: table('endpoints'),
      deny: table('deny'),
      services: table('services'),
      meta: table('meta'),
    };
    const shared = {
      networks: table('cluster-networks'),
      addresses: table('addresses'),
      identities: table('identities'),
      policies: table('policies'),
      namespaces: table('namespaces'),
    };
    acquire(root, databases.meta, directory);
    return new LmdbStore(root, databases, path, new EmbeddedCluster(root, shared, path));
  } catch (error) {
    await root.close();
    throw error;
  }
}

class LmdbStore implements EmbeddedStore {
  readonly cluster: EmbeddedCluster;
  readonly #root: RootDatabase<string, string>;
  readonly #databases: Databases;
  readonly #path: string;
  #closed: Promise<void> | undefined;

  constructor(root: RootDatabase<string, string>, databases: Databases, path: string, cluster: EmbeddedCluster) {
    this.#root = root;
    this.#databases = databases;
    this.#path = path;
    this.cluster = cluster;
  }

  async load(): Promise<HostIntent> {
    this.#checkOpen();
    await this.#root.committed;
    // No await from here on: one event turn reads one snapshot.
    return {
      networks: this.#all('networks'),
      endpoints: this.#all('endpoints'),
      deny: new Set(this.#all('deny').keys()),
      services: this.#all('services'),
    };
  }

  async fact(name: string): Promise<string | undefined> {
    this.#checkOpen();
    await this.#root.committed;
    return this.#databases.meta.get(factKey(name));
  }

  async facts(prefix: string): Promise<Map<string, string>> {
    this.#checkOpen();
    await this.#root.committed;
    const start = factKey(prefix);
    const found = new Map<string, string>();
    for (const { key, value } of this.#databases.meta.getRange({ start, end: `${start}\uffff` })) {
      found.set(key.slice(start.length), value);
    }
    return found;
  }

  putNetwork(network: Network): Promise<void> {
    return this.transaction((writer) => writer.putNetwork(network));
  }
  deleteNetwork(id: string): Promise<void> {
    return this.transaction((writer) => writer.deleteNetwork(id));
  }
  putEndpoint(endpoint: Endpoint): Promise<void> {
    return this.transaction((writer) => writer.putEndpoint(endpoint));
  }
  deleteEndpoint(id: string): Promise<void> {
    return this.transaction((writer) => writer.deleteEndpoint(id));
  }
  putDeny(cidrs: readonly string[]): Promise<void> {
    return this.transaction((writer) => writer.putDeny(cidrs));
  }
  deleteDeny(cidrs: readonly string[]): Promise<void> {
    return this.transaction((writer) => writer.deleteDeny(cidrs));
  }
  putService(service: Service): Promise<void> {
    return this.transaction((writer) => writer.putService(service));
  }
  deleteService(id: string): Promise<void> {
    return this.transaction((writer) => writer.deleteService(id));
  }
  putFact(name: string, value: string | undefined): Promise<void> {
    return this.transaction((writer) => writer.putFact(name, value));
  }

  async transaction(change: (writer: IntentWriter<void>) => void): Promise<void> {
    this.#checkOpen();
    const writes: Write[] = [];
    change(gather(writes));
    if (writes.length === 0) return;
    await commit(this.#root, this.#path, () => {
      for (const { database, key, value } of writes) {
        if (value === undefined) this.#databases[database].remove(key);
        else this.#databases[database].put(key, value);
      }
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.cluster.close();
    await this.#root.committed;
    await this.#databases.meta.remove('writer');
    await this.#root.close();
  }

  #all<Kind extends HostKind & RecordKind>(kind: Kind): Map<string, RecordOf<Kind>> {
    const records = new Map<string, RecordOf<Kind>>();
    for (const { key, value } of this.#databases[kind].getRange()) records.set(key, decodeRecord(kind, key, value));
    return records;
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    throw new VetchError('UNAVAILABLE', `the state in ${this.#path} is closed`, 'open it again');
  }
}

/** A writer that notes what it is asked for. Records are encoded at once, so that later changes of them do not count. */
function gather(writes: Write[]): IntentWriter<void> {
  const put = (database: keyof Databases, key: string, value: string) => void writes.push({ database, key, value });
  const remove = (database: keyof Databases, key: string) => void writes.push({ database, key });
  return {
    putNetwork: (network) => put('networks', network.id, encodeRecord<'networks'>(network)),
    deleteNetwork: (id) => remove('networks', id),
    putEndpoint: (endpoint) => put('endpoints', endpoint.id, encodeRecord<'endpoints'>(endpoint)),
    deleteEndpoint: (id) => remove('endpoints', id),
    putDeny: (cidrs) => {
      for (const cidr of cidrs) put('deny', cidr, encodeRecord<'deny'>({}));
    },
    deleteDeny: (cidrs) => {
      for (const cidr of cidrs) remove('deny', cidr);
    },
    putService: (service) => put('services', service.id, encodeRecord<'services'>(service)),
    deleteService: (id) => remove('services', id),
    putFact: (name, value) => (value === undefined ? remove('meta', factKey(name)) : put('meta', factKey(name), value)),
  };
}

/** Judged and written in one transaction, for which lmdb lets in one process at a time. */
function acquire(root: RootDatabase<string, string>, meta: Texts, directory: string): void {
  root.transactionSync(() => {
    const schema = Number(meta.get('schema') ?? recordSchema);
    if (schema > recordSchema) throw tooNew(directory, schema, recordSchema);
    const pid = liveHolder(meta.get('writer'));
    if (pid !== undefined) {
      throw new VetchError(
        'IN_USE',
        `the state in ${directory} is in use by process ${pid}`,
        'stop that daemon first, or give this one another directory with --state',
      );
    }
    meta.put('schema', String(recordSchema));
    meta.put('writer', holderRecord());
  });
}

function factKey(name: string): string {
  return `fact/${name}`;
}
