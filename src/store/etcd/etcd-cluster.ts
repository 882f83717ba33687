import { setTimeout as sleep } from 'node:timers/promises';
import { VetchError } from '../../api/error.ts';
import type { ClusterRecords } from '../../model/cluster.ts';
import type { ClusterCache } from '../cluster-cache.ts';
import type { ClusterFollower, ClusterStore, ClusterWriter, PresenceWriter } from '../cluster-contract.ts';
import { checkWrites, withHeldInAdvance } from '../cluster-rules.ts';
import { gatherWrites } from '../cluster-writes.ts';
import { encodeRecord } from '../codec.ts';
import { recordSchema } from '../records.ts';
import { Serial } from '../serial.ts';
import type { EtcdClient } from './client.ts';
import { AwayError, reasonOf, refusal } from './failure.ts';
import { Outage } from './outage.ts';
import type { Presence } from './presence.ts';
import { methods } from './protocol.ts';
import type { Replica } from './replica.ts';
import { readSnapshot } from './snapshot.ts';
import { transact } from './transaction.ts';
import { PlaceLost, watch } from './watch.ts';

/** Milliseconds that a transaction waits for the store to come back before it is refused at once. */
const patience = 3_000;

const accept = 'if that is meant, restart the daemon';

export interface EtcdClusterParts {
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly node: string;
  readonly replica: Replica;
  readonly presence: Presence;
  readonly cache?: ClusterCache;
  /** Of the etcd that the replica was filled from. */
  readonly clusterId: string;
  /** Why the store was away when it was opened; absent: it was not. */
  readonly reason?: string;
  readonly failed: (what: string, error: unknown) => void;
}

/** A cluster's store on etcd: a replica that a watch keeps in step, and transactions that are judged on it first. */
export class EtcdCluster implements ClusterStore {
  readonly #parts: EtcdClusterParts;
  readonly #outage: Outage;
  readonly #serial = new Serial();
  readonly #saves = new Serial();
  readonly #closing = new AbortController();
  readonly #following: Promise<void>;
  #telling: Promise<void> | undefined;
  #follower: ClusterFollower | undefined;
  /** Resolved and made anew with each step of the replica and of the follower. */
  #step = Promise.withResolvers<void>();
  #placeLost: boolean;

  constructor(parts: EtcdClusterParts) {
    this.#parts = parts;
    this.#outage = new Outage(parts.reason);
    this.#placeLost = parts.reason !== undefined;
    this.#following = this.#follow();
    parts.presence.start();
  }

  get warnings(): readonly string[] {
    const { client, presence, replica } = this.#parts;
    const members = client.endpoints.join(', ');
    return [
      ...this.#outage.lines(members),
      ...(presence.trouble !== undefined && !this.#outage.reason
        ? [`the other hosts of the cluster learn nothing of this one: ${presence.trouble}`]
        : []),
      ...[...replica.unreadable.values()].map(
        ({ message }) => `${message}: what it said before holds: upgrade this host`,
      ),
    ];
  }

  async load(): Promise<ClusterRecords> {
    this.#checkOpen();
    return this.#serial.run(() => {
      const { replica } = this.#parts;
      for (const error of replica.unreadable.values()) throw error;
      replica.tellNothing();
      return replica.view.copy();
    });
  }

  follow(follower: ClusterFollower): void {
    this.#follower = follower;
    this.#tell();
  }

  async transaction(change: (writer: ClusterWriter) => void): Promise<void> {
    this.#checkOpen();
    const asked = gatherWrites(change);
    await this.#serial.run(async () => {
      const { client, node, prefix, replica } = this.#parts;
      if (this.#outage.milliseconds > patience) throw new AwayError(this.#outage.reason ?? '');
      if (asked.length === 0) return;
      // Whether anything of a network is held is judged up to the position: this host's own writes are not to be beyond it.
      if (asked.some(({ kind, record }) => kind === 'networks' && !record)) await this.#arriveAt(replica.lastWritten);
      for (const { kind, key } of asked) {
        const unreadable = replica.unreadable.get(`${kind}/${key}`);
        if (unreadable) throw unreadable;
      }
      // From here to the sending of the request nothing else happens: what is judged is what is made a condition.
      const writes = withHeldInAdvance(replica.view, asked);
      checkWrites(replica.view, writes);
      try {
        await transact(client, replica, prefix, node, writes);
      } finally {
        await this.#save();
        this.#tell();
      }
    });
  }

  async settled(): Promise<void> {
    const { client, node, prefix, replica } = this.#parts;
    const put = { key: Buffer.from(`${prefix}/sync/${node}`), value: Buffer.from(new Date().toISOString()) };
    let revision: number;
    try {
      const { header } = await client.call(methods.txn, { compare: [], success: [{ requestPut: put }], failure: [] });
      revision = Number(header.revision);
    } catch (error) {
      throw refusal(error);
    }
    await this.#arriveAt(revision);
    // Without a follower `load` tells.
    await this.#until(() => !this.#follower || !replica.hasUntold);
  }

  publish(change: (writer: PresenceWriter) => void): void {
    const { node, presence } = this.#parts;
    change({
      putNode: (facts) => presence.set(`nodes/${node}`, encodeRecord<'nodes'>({ ...facts, name: node })),
      putEndpoint: (endpoint) => {
        const record = { ...endpoint, node };
        presence.set(`endpoints/${node}/${endpoint.id}`, encodeRecord<'cluster-endpoints'>(record));
      },
      deleteEndpoint: (id) => presence.set(`endpoints/${node}/${id}`, undefined),
    });
  }

  async told(): Promise<void> {
    if (this.#outage.reason !== undefined) return;
    const waiting = new AbortController();
    const late = sleep(patience, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#parts.presence.first, late]);
    waiting.abort();
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await this.#serial.done;
    await this.#parts.presence.close();
    this.#parts.client.close();
    await this.#following;
    await this.#telling;
  }

  /** Keeps the replica in step, whatever happens, until this is closed. */
  async #follow(): Promise<void> {
    const { client, prefix, replica } = this.#parts;
    let pause = client.times.pause;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#catchUp();
        await watch(client, {
          prefix,
          from: replica.position + 1,
          onStart: () => {
            this.#outage.end();
            pause = client.times.pause;
          },
          onChanges: (events, position) => {
            replica.advance(events, position);
            this.#tell();
          },
          signal: this.#closing.signal,
        });
      } catch (error) {
        if (this.#closing.signal.aborted) break;
        if (error instanceof PlaceLost) {
          this.#parts.failed('watch on from where it was: a snapshot tells what was missed', error);
          this.#placeLost = true;
          continue;
        }
        this.#outage.begin(reasonOf(error));
        client.forgetToken();
        await sleep(pause * (0.5 + Math.random()), undefined, { signal: this.#closing.signal }).catch(() => undefined);
        pause = Math.min(2 * pause, client.times.longestPause);
      }
    }
  }

  /** Makes sure that a watch from the replica's position on misses nothing. */
  async #catchUp(): Promise<void> {
    const { client, clusterId, prefix, replica } = this.#parts;
    const first = { key: Buffer.from(`${prefix}/`), limit: 1, keysOnly: true };
    const { header } = await client.call(methods.range, first, client.times.attempt);
    // Whoever swaps or empties etcd would open everywhere at once what policies close.
    if (header.clusterId !== clusterId) throw new AwayError(`another cluster of etcd answers in its place: ${accept}`);
    if (Number(header.revision) < replica.position)
      throw new AwayError(`etcd has lost what it had, or was restored: ${accept}`);
    if (!this.#placeLost) return;
    const snapshot = await readSnapshot(client, prefix);
    replica.replace(snapshot.keys, snapshot.revision, false);
    this.#placeLost = false;
    this.#tell();
  }

  /** Has the follower told of what it does not know, one change after the other. */
  #tell(): void {
    this.#step.resolve();
    this.#step = Promise.withResolvers();
    this.#telling ??= this.#tellAll().finally(() => {
      this.#telling = undefined;
      // What came while it ended.
      if (this.#follower && this.#parts.replica.hasUntold && !this.#closing.signal.aborted) this.#tell();
    });
  }

  async #tellAll(): Promise<void> {
    const { failed, replica } = this.#parts;
    await this.#save();
    while (this.#follower && !this.#closing.signal.aborted) {
      const changes = replica.take();
      if (!changes) break;
      try {
        await this.#follower(changes);
        replica.told();
      } catch (error) {
        failed('follow the cluster', error);
        replica.untold();
        await sleep(1_000, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      }
      this.#step.resolve();
      this.#step = Promise.withResolvers();
      await this.#save();
    }
  }

  /**
   * What is only in memory would be lost to a start while the store is away. One after the other: what one of them could not
   * put aside is not to be before another one's position.
   */
  #save(): Promise<void> {
    return this.#saves.run(() => this.#saveNow());
  }

  async #saveNow(): Promise<void> {
    const { cache, clusterId, failed, node, prefix, replica } = this.#parts;
    const changes = replica.unsaved();
    if (!cache || changes.size === 0) return;
    try {
      await cache.write({ clusterId, prefix, node, schema: recordSchema, position: replica.position }, changes);
    } catch (error) {
      replica.notSaved(changes);
      failed("put the cluster's records aside", error);
    }
  }

  #arriveAt(revision: number): Promise<void> {
    return this.#until(() => this.#parts.replica.position >= revision);
  }

  /** @throws VetchError UNAVAILABLE: it takes too long, or this is closed */
  async #until(reached: () => boolean): Promise<void> {
    const late = Date.now() + this.#parts.client.times.call;
    while (!reached()) {
      this.#checkOpen();
      if (Date.now() > late) throw new AwayError('it does not tell of changes');
      await Promise.race([this.#step.promise, sleep(100)]);
    }
  }

  #checkOpen(): void {
    if (!this.#closing.signal.aborted) return;
    throw new VetchError('UNAVAILABLE', "the cluster's store is closed", 'open it again');
  }
}
