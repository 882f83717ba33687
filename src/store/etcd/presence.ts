import { setTimeout as sleep } from 'node:timers/promises';
import { VetchError } from '../../api/error.ts';
import { liveHolder } from '../writer-lock.ts';
import type { EtcdClient } from './client.ts';
import { AwayError, isCallFailure, isTransient, reasonOf } from './failure.ts';
import { endOf, type KeyValue, methods, type RequestOp } from './protocol.ts';

/** Which process speaks for a host. */
interface Speaker {
  /** Of the host's state: another one with the same name is another host. */
  readonly instance: string;
  /** Of this run. */
  readonly run: string;
  /** `holderRecord`. */
  readonly process: string;
}

export interface PresenceOptions {
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly node: string;
  readonly speaker: Speaker;
}

/** Writes of one transaction; etcd takes 128. */
const portion = 100;

/**
 * What a host tells the others of itself: keys on a lease that is kept alive, and made again with all its keys when it
 * expired. A key of its own says which process speaks for the host, so that two hosts of one name are found out.
 */
export class Presence {
  readonly #options: PresenceOptions;
  /** By key below the prefix. */
  readonly #records = new Map<string, string>();
  readonly #unsent = new Set<string>();
  #lease: string | undefined;
  /** Whether anything was told: until then what an earlier run told stays. */
  #begun = false;
  /** Keys that an earlier run told, until this one has told what there is. */
  #old: readonly string[] = [];
  /** The lease that those are on. */
  #oldLease: string | undefined;
  #wake = new AbortController();
  #closed = false;
  #running: Promise<void> | undefined;
  #failure: unknown;
  readonly #first = Promise.withResolvers<void>();
  /** When the others were told last, or a sign of life was answered. */
  #told = performance.now();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** Why the others have forgotten this host, or do not learn what has changed; undefined: they know. */
  get trouble(): string | undefined {
    if (this.#failure === undefined) return undefined;
    const passing = isTransient(this.#failure) || this.#failure instanceof AwayError;
    if (passing && performance.now() - this.#told < this.#options.client.times.lease * 1_000) return undefined;
    return reasonOf(this.#failure);
  }

  /** Resolves when the others have been told for the first time. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** @param text absent: the others are to forget it */
  set(key: string, text: string | undefined): void {
    this.#begun = true;
    if (this.#records.get(key) === text) return;
    if (text === undefined) this.#records.delete(key);
    else this.#records.set(key, text);
    this.#unsent.add(key);
    this.#wake.abort();
  }

  /** Becomes the one that speaks for this host. @throws VetchError IN_USE: another process does; UNAVAILABLE */
  async claim(): Promise<void> {
    const { client } = this.#options;
    const { ID } = await client.call(methods.leaseGrant, { TTL: client.times.lease });
    const lock = this.#key(`locks/${this.#options.node}`);
    const value = Buffer.from(JSON.stringify(this.#options.speaker));
    for (let seen = 0; ; ) {
      const { succeeded, responses } = await client.call(methods.txn, {
        compare: [{ result: 'EQUAL', target: 'MOD', key: lock, modRevision: seen }],
        success: [{ requestPut: { key: lock, value, lease: ID } }],
        failure: [{ requestRange: { key: lock } }],
      });
      if (succeeded) break;
      const [held] = responses[0]?.responseRange?.kvs ?? [];
      if (held && !this.#maySucceed(held.value.toString())) throw this.#inUse(held.value.toString());
      seen = Number(held?.modRevision ?? 0);
    }
    await this.#takeOver();
    // Only now: whoever has a lease does not claim again, and would never tell what has not been taken over.
    this.#lease = ID;
    for (const key of this.#records.keys()) this.#unsent.add(key);
  }

  /** Tells from now on what is to be told, and shows signs of life. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Lets the next process speak for the host at once; what this one has told stays until then, or for a day. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake.abort();
    await this.#running;
    if (this.#lease === undefined) return;
    try {
      await this.#outlive();
      const lock = this.#key(`locks/${this.#options.node}`);
      await this.#write([{ requestDeleteRange: { key: lock } }], this.#options.client.times.attempt);
    } catch {
      // Then it goes with the lease.
    }
  }

  /** Moves what was told to a lease that nobody keeps alive. */
  async #outlive(): Promise<void> {
    const { client } = this.#options;
    const keys = [...new Set([...this.#records.keys(), ...this.#unsent])];
    if (keys.length === 0) return;
    const { ID } = await client.call(methods.leaseGrant, { TTL: client.times.rest }, client.times.attempt);
    this.#lease = ID;
    for (let at = 0; at < keys.length; at += portion) {
      const requests = keys.slice(at, at + portion).map((key) => this.#request(key));
      if (!(await this.#write(requests, client.times.attempt))) return;
    }
  }

  /** @returns whether this process still speaks for the host; if not, nothing was written */
  async #write(requests: readonly RequestOp[], milliseconds?: number): Promise<boolean> {
    const { client, node, speaker } = this.#options;
    const value = Buffer.from(JSON.stringify(speaker));
    const request = {
      compare: [{ result: 'EQUAL' as const, target: 'VALUE' as const, key: this.#key(`locks/${node}`), value }],
      success: requests,
      failure: [],
    };
    return (await client.call(methods.txn, request, milliseconds)).succeeded;
  }

  async #run(): Promise<void> {
    const { times } = this.#options.client;
    while (!this.#closed) {
      let pause = (times.lease * 1_000) / 3;
      try {
        if (this.#lease === undefined) await this.claim();
        else await this.#keepAlive(this.#lease);
        if (this.#oldLease !== undefined) await this.#isAlive(this.#oldLease);
        if (this.#begun) await this.#tell();
        this.#failure = undefined;
        this.#told = performance.now();
      } catch (error) {
        this.#failure = error;
        pause = times.longestPause;
      }
      if (this.#begun && this.#unsent.size > 0 && this.#failure === undefined) continue;
      this.#wake = new AbortController();
      await sleep(pause, undefined, { signal: this.#closed ? AbortSignal.abort() : this.#wake.signal }).catch(
        () => undefined,
      );
    }
  }

  async #keepAlive(lease: string): Promise<void> {
    if (await this.#isAlive(lease)) return;
    this.#lease = undefined;
    await this.claim();
  }

  /** Has it live for as long again. */
  async #isAlive(lease: string): Promise<boolean> {
    const { TTL } = await this.#options.client.exchange(methods.leaseKeepAlive, { ID: lease });
    return Number(TTL) > 0;
  }

  async #tell(): Promise<void> {
    for (const key of this.#old) if (!this.#records.has(key)) this.#unsent.add(key);
    this.#old = [];
    while (this.#unsent.size > 0) {
      const keys = [...this.#unsent].slice(0, portion);
      for (const key of keys) this.#unsent.delete(key);
      try {
        if (!(await this.#write(keys.map((key) => this.#request(key)))))
          throw new Error('another process speaks for this host');
      } catch (error) {
        for (const key of keys) this.#unsent.add(key);
        // The lease is gone, or its lock: both are asked for anew.
        if (!isCallFailure(error)) this.#loseLease(error);
        else if (/lease not found/.test(error.details)) this.#lease = undefined;
        throw error;
      }
    }
    this.#oldLease = undefined;
    this.#first.resolve();
  }

  #loseLease(error: unknown): void {
    if (!(error instanceof VetchError)) this.#lease = undefined;
  }

  #request(key: string): RequestOp {
    const text = this.#records.get(key);
    if (text === undefined) return { requestDeleteRange: { key: this.#key(key) } };
    const lease = this.#lease;
    return { requestPut: { key: this.#key(key), value: Buffer.from(text), ...(lease === undefined ? {} : { lease }) } };
  }

  /**
   * Has what an earlier run told live on, whatever lease that was on, until this one has told what there is: a start among
   * many endpoints may keep the processor for longer than a lease lasts, and is no reason to be forgotten.
   */
  async #takeOver(): Promise<void> {
    const { client, node, prefix } = this.#options;
    const start = `${prefix}/endpoints/${node}/`;
    const old: string[] = [];
    const { ID: lease } = await client.call(methods.leaseGrant, { TTL: client.times.start });
    const keep = async (kvs: readonly KeyValue[]) => {
      const puts = kvs.map(({ key, value }): RequestOp => ({ requestPut: { key, value, lease } }));
      if (puts.length > 0) await this.#write(puts);
      old.push(...kvs.map(({ key }) => key.toString().slice(prefix.length + 1)));
    };
    await keep((await client.call(methods.range, { key: this.#key(`nodes/${node}`) })).kvs);
    for (let key = Buffer.from(start); ; ) {
      const { kvs, more } = await client.call(methods.range, { key, rangeEnd: endOf(start), limit: portion });
      await keep(kvs);
      const last = kvs.at(-1);
      if (!more || !last) break;
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
    this.#old = old;
    this.#oldLease = lease;
  }

  /** Whether the process that holds the lock is an earlier one of this host's, and gone. */
  #maySucceed(text: string): boolean {
    const { speaker } = this.#options;
    const held = parse(text);
    if (held.instance !== speaker.instance) return false;
    return held.run === speaker.run || liveHolder(held.process) === undefined;
  }

  #inUse(text: string): VetchError {
    const { node, speaker } = this.#options;
    const other = parse(text).instance === speaker.instance ? 'another process of this host' : 'another host';
    return new VetchError(
      'IN_USE',
      `${other} is in the cluster as ${node}`,
      `stop it, or give this one another name with --node; a host that is gone is forgotten after its lease`,
    );
  }

  #key(key: string): Buffer {
    return Buffer.from(`${this.#options.prefix}/${key}`);
  }
}

function parse(text: string): Partial<Speaker> {
  try {
    return JSON.parse(text) as Partial<Speaker>;
  } catch {
    return {};
  }
}
