import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CachedCluster, ClusterCache } from '../cluster-cache.ts';
import type { ClusterStore } from '../cluster-contract.ts';
import { tooNew } from '../codec.ts';
import { recordSchema } from '../records.ts';
import { holderRecord } from '../writer-lock.ts';
import { EtcdClient } from './client.ts';
import { EtcdCluster } from './etcd-cluster.ts';
import { reasonOf, refusal } from './failure.ts';
import { schemaKey } from './keys.ts';
import { type Missed, readMissed } from './missed.ts';
import { defaultTimes, type EtcdAccess, type EtcdTimes } from './options.ts';
import { Presence } from './presence.ts';
import { methods } from './protocol.ts';
import { Replica } from './replica.ts';
import { readSnapshot, type Snapshot } from './snapshot.ts';

export interface EtcdClusterOptions extends EtcdAccess {
  readonly node: string;
  /** Of the host's state, as long as that lasts: tells this host from another one of its name. */
  readonly instance: string;
  /** Absent: the host does not start while etcd is away. */
  readonly cache?: ClusterCache;
  readonly times?: Partial<EtcdTimes>;
  /** Told why the store is waited for, now and then. */
  readonly waiting?: (reason: string) => void;
  /** Told of what failed in the background and is tried again. */
  readonly failed?: (what: string, error: unknown) => void;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/** Changes that are worth being told of one by one, where there are fewer keys. */
const manyMissed = 1_000;

/** Milliseconds between two complaints about a store that is away. */
const complain = 30_000;

/**
 * Joins the cluster that lies below a prefix in etcd. While etcd is away a host that has been in the cluster goes on with
 * what it knew; one that has not waits.
 *
 * @throws VetchError IN_USE: another process is in the cluster by this name; UNSUPPORTED: a newer version has written to it;
 *   INVALID: etcd refuses this host; UNAVAILABLE: `signal` was aborted
 */
export async function openEtcdCluster(options: EtcdClusterOptions): Promise<ClusterStore> {
  const { cache, failed = () => undefined, node, prefix } = options;
  const client = new EtcdClient(options, { ...defaultTimes, ...options.times });
  try {
    const known = await cache?.read();
    const own = known?.prefix === prefix ? known : undefined;
    if (known && !own) await cache?.clear();
    const replica = new Replica(node);
    if (own) replica.replace(own.keys, own.position, false);
    replica.unsaved();
    const run = randomUUID();
    const speaker = { instance: options.instance, run, process: holderRecord() };
    const presence = new Presence({ client, prefix, node, speaker });
    const joined = await join(client, presence, options, own);
    const clusterId = joined.snapshot?.clusterId ?? own?.clusterId ?? '';
    if (joined.snapshot) {
      const { keys, revision } = joined.snapshot;
      const anew = own !== undefined && isOther(own, joined.snapshot);
      if (anew) failed('find the cluster as it was: etcd is another one, or has gone back', undefined);
      replica.replace(keys, revision, anew);
    } else if (joined.missed) {
      replica.advance(joined.missed.events, joined.missed.position);
    }
    if (joined.reason === undefined) {
      const state = { clusterId, prefix, node, schema: recordSchema, position: replica.position };
      await cache?.follow(state, replica.unsaved(), own);
    }
    const parts = { client, prefix, node, replica, presence, clusterId, failed };
    return new EtcdCluster({
      ...parts,
      ...(cache ? { cache } : {}),
      ...(joined.reason === undefined ? {} : { reason: joined.reason }),
    });
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Whether etcd is not the one that a host knew, or has gone back: then it knows of a key less than the host does. */
function isOther(own: CachedCluster, { clusterId, keys, revision }: Snapshot): boolean {
  if (own.clusterId !== clusterId || revision < own.position) return true;
  return [...own.keys].some(([key, known]) => {
    const there = keys.get(key);
    if (there?.revision === known.revision) return there.text !== known.text;
    return there !== undefined && there.revision < known.revision;
  });
}

interface Joined {
  readonly snapshot?: Snapshot;
  /** In its place: what was not known. */
  readonly missed?: Missed;
  /** Why there is neither. */
  readonly reason?: string;
}

async function join(
  client: EtcdClient,
  presence: Presence,
  options: EtcdClusterOptions,
  known: CachedCluster | undefined,
): Promise<Joined> {
  let complained = Number.NEGATIVE_INFINITY;
  for (;;) {
    try {
      // Whoever can go on without does not wait for long.
      await checkSchema(client, options.prefix, known ? client.times.attempt : client.times.call);
      await presence.claim();
      const { node, prefix } = options;
      const follows = known?.node === node && known.schema === recordSchema;
      const missed = follows && (await readMissed(client, { prefix, node, most: manyMissed + known.keys.size }, known));
      return missed ? { missed } : { snapshot: await readSnapshot(client, prefix) };
    } catch (error) {
      const refused = refusal(error);
      if (refused.code !== 'UNAVAILABLE') throw refused;
      if (known) return { reason: reasonOf(refused) };
      if (options.signal?.aborted) throw refused;
      if (performance.now() - complained > complain) {
        complained = performance.now();
        options.waiting?.(reasonOf(refused));
      }
      await sleep(client.times.longestPause, undefined, options.signal ? { signal: options.signal } : {}).catch(
        () => undefined,
      );
    }
  }
}

/** A version that does not know of a kind of record would leave open what that closes. */
async function checkSchema(client: EtcdClient, prefix: string, milliseconds: number): Promise<void> {
  const key = Buffer.from(`${prefix}/${schemaKey}`);
  const { kvs } = await client.call(methods.range, { key }, milliseconds);
  const [seen] = kvs;
  const schema = Number(seen?.value.toString() ?? 0);
  if (schema > recordSchema) throw tooNew(`the cluster ${prefix}`, schema, recordSchema);
  if (schema === recordSchema) return;
  const value = Buffer.from(String(recordSchema));
  await client.call(methods.txn, {
    compare: [{ result: 'EQUAL', target: 'MOD', key, modRevision: Number(seen?.modRevision ?? 0) }],
    success: [{ requestPut: { key, value } }],
    failure: [],
  });
}
