import { VetchError } from '../../api/error.ts';
import type { ClusterChanges, ClusterEndpoint, ClusterRecords, HeldAddress } from '../../model/cluster.ts';
import { ClusterView } from '../cluster-view.ts';
import { settleText } from '../settle-text.ts';
import { decodeShared, ownKeys, splitKey } from './keys.ts';
import { Revisions, type SplitKey, splitOf } from './revisions.ts';

/** What a key below the prefix has held since a revision. */
export interface Keyed {
  readonly text: string;
  readonly revision: number;
}

/** A key that was written or, without `text`, deleted. */
export interface KeyEvent {
  readonly key: string;
  readonly text?: string;
  readonly revision: number;
}

/**
 * The cluster in this host's memory: what etcd has as far as the watch has come, what of it the follower has not been told,
 * and what has not been put aside on the disk. It does nothing else.
 */
export class Replica {
  readonly view = new ClusterView();
  /** All changes up to here are known. */
  position = 0;
  readonly #isOwn: (key: string) => boolean;
  readonly #revisions = new Revisions();
  /** Keys that this host wrote after `position`: the watch brings older news of them yet. */
  readonly #written = new Map<string, number>();
  /** What a transaction under way writes, and which of it the watch has brought already. */
  #expected: ReadonlyMap<string, string | undefined> = new Map();
  readonly #early = new Set<string>();
  readonly #untold = new Set<string>();
  #beingTold: ReadonlySet<string> = new Set();
  #unsaved = new Map<string, Keyed | undefined>();
  readonly #unreadable = new Map<string, VetchError>();

  constructor(node: string) {
    this.#isOwn = ownKeys(node);
  }

  /** Up to where this host has written. */
  get lastWritten(): number {
    return Math.max(this.position, ...this.#written.values());
  }

  /** 0: it is not there. */
  revisionOf(key: string): number {
    return this.#revisions.get(splitOf(key)) ?? 0;
  }

  /** Whether the follower knows less of a key than this does. */
  isUntold(key: string): boolean {
    return this.#untold.has(key) || this.#beingTold.has(key);
  }

  /** Whether the follower knows less of a kind. */
  isKindUntold(kind: string): boolean {
    const prefix = `${kind}/`;
    return [...this.#untold, ...this.#beingTold].some((key) => key.startsWith(prefix));
  }

  get hasUntold(): boolean {
    return this.#untold.size > 0 || this.#beingTold.size > 0;
  }

  /** Records that this version cannot read, and why. Of each the last one that could be read holds. */
  get unreadable(): ReadonlyMap<string, VetchError> {
    return this.#unreadable;
  }

  /** What the watch has brought: all changes up to `position`. */
  advance(events: readonly KeyEvent[], position: number): void {
    for (const event of events) this.#learn(event);
    this.#arriveAt(position);
  }

  /**
   * All that there was at a revision: what the watch has missed is the difference.
   *
   * @param anew the store is another one, or has gone back: what was known of revisions means nothing
   */
  replace(snapshot: ReadonlyMap<string, Keyed>, position: number, anew: boolean): void {
    const known = [...this.#revisions.keys()];
    if (anew) {
      this.#revisions.restart();
      this.#written.clear();
      this.position = 0;
    }
    for (const [key, { text, revision }] of snapshot) this.#learn({ key, text, revision });
    for (const key of known) if (!snapshot.has(key)) this.#learn({ key, revision: position });
    this.#arriveAt(position);
  }

  /** What a transaction is about to write. */
  expect(writes: ReadonlyMap<string, string | undefined>): void {
    this.#expected = writes;
  }

  /** The transaction has happened, and whoever asked for it knows. */
  wrote(revision: number): void {
    for (const [key, text] of this.#expected) {
      if (revision <= Math.max(this.revisionOf(key), this.#written.get(key) ?? 0)) continue;
      this.#set({ key, revision, ...(text === undefined ? {} : { text }) }, splitOf(key));
      if (revision > this.position) this.#written.set(key, revision);
    }
    this.#endTransaction();
  }

  /** The transaction has not happened; or nobody knows, and what the watch brings of it is news. */
  failed(): void {
    for (const key of this.#early) this.#untold.add(key);
    this.#endTransaction();
  }

  /** What the follower is to be told now; undefined: nothing. {@link told} or {@link untold} ends it. */
  take(): ClusterChanges | undefined {
    if (this.#untold.size === 0) return undefined;
    this.#beingTold = new Set(this.#untold);
    this.#untold.clear();
    return this.#changes(this.#beingTold);
  }

  told(): void {
    this.#beingTold = new Set();
  }

  untold(): void {
    for (const key of this.#beingTold) this.#untold.add(key);
    this.#beingTold = new Set();
  }

  /** Whoever asked has been given all. */
  tellNothing(): void {
    this.#untold.clear();
  }

  /** What has changed since the last call. */
  unsaved(): ReadonlyMap<string, Keyed | undefined> {
    const unsaved = this.#unsaved;
    this.#unsaved = new Map();
    return unsaved;
  }

  /** Of `unsaved`, what could not be put aside. */
  notSaved(changes: ReadonlyMap<string, Keyed | undefined>): void {
    for (const [key, keyed] of changes) if (!this.#unsaved.has(key)) this.#unsaved.set(key, keyed);
  }

  #learn(event: KeyEvent): void {
    const { key, revision, text } = event;
    const split = splitOf(key);
    const known = this.#revisions.get(split);
    if (revision <= Math.max(known ?? 0, this.#written.get(key) ?? 0)) return;
    if (text === undefined && known === undefined) return;
    if (!this.#set(event, split)) return;
    if (this.#expected.has(key) && this.#expected.get(key) === text) this.#early.add(key);
    else this.#untold.add(key);
  }

  /** Whether it is a record of the cluster's, and not what this host tells of itself. */
  #set({ key, revision, text }: KeyEvent, split: SplitKey): boolean {
    settleText(split.key);
    if (text === undefined) this.#revisions.delete(split);
    else this.#revisions.set(split, revision);
    const { kind } = split;
    if (kind === '' || this.#isOwn(key)) return false;
    this.#unsaved.set(key, text === undefined ? undefined : { text, revision });
    if (this.#unreadable.size > 0) this.#unreadable.delete(key);
    try {
      const record = text === undefined ? undefined : decodeShared(kind, split.key, text);
      // An endpoint's id stands in its record and in that of each of its addresses.
      if (kind === 'endpoints' && record) settleText((record as ClusterEndpoint).id);
      if (kind === 'addresses' && record) settleText((record as HeldAddress).endpoint);
      this.view.set(kind, split.key, record);
    } catch (error) {
      if (!(error instanceof VetchError)) throw error;
      this.#unreadable.set(key, error);
    }
    return true;
  }

  #arriveAt(position: number): void {
    this.position = Math.max(this.position, position);
    for (const [key, revision] of this.#written) if (revision <= this.position) this.#written.delete(key);
  }

  #endTransaction(): void {
    this.#expected = new Map();
    this.#early.clear();
  }

  #changes(keys: Iterable<string>): ClusterChanges {
    const changes: { [Kind in keyof ClusterRecords]: Map<string, unknown> } = {
      networks: new Map(),
      addresses: new Map(),
      identities: new Map(),
      policies: new Map(),
      namespaces: new Map(),
      nodes: new Map(),
      endpoints: new Map(),
    };
    for (const full of keys) {
      const split = splitKey(full);
      if (!split) continue;
      settleText(split.key);
      changes[split.kind].set(split.key, this.view[split.kind].get(split.key));
    }
    return changes as unknown as ClusterChanges;
  }
}
