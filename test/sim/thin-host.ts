import { createHash, randomUUID } from 'node:crypto';
import type { Network } from '../../src/model/network.ts';
import { macFor } from '../../src/network/mac.ts';
import { encodeRecord } from '../../src/store/codec.ts';
import { EtcdClient } from '../../src/store/etcd/client.ts';
import { defaultTimes } from '../../src/store/etcd/options.ts';
import { Presence } from '../../src/store/etcd/presence.ts';
import { endOf, methods } from '../../src/store/etcd/protocol.ts';
import type { KeyEvent } from '../../src/store/etcd/replica.ts';
import { watch } from '../../src/store/etcd/watch.ts';
import { holderRecord } from '../../src/store/writer-lock.ts';
import { labelsOf } from './labels.ts';
import { type HostOptions, prefix } from './simulated-host.ts';

/** Writes of one transaction. */
const portion = 100;

/** Addresses of a /16 from here on are handed out by no whole host: those take the lowest. */
const firstAddress = 0x8000;

/**
 * What etcd sees of a host, and no more: connection, lease, lock, records, signs of life and a watch, of which it notes what
 * arrives. All of that is the daemon's own code; but there is no copy of the cluster, no policy and no map. For more hosts
 * than a machine has memory for.
 */
export class ThinHost implements AsyncDisposable {
  readonly #options: HostOptions;
  readonly #client: EtcdClient;
  readonly #presence: Presence;
  readonly #closing = new AbortController();
  #watching: Promise<unknown> = Promise.resolve();

  private constructor(options: HostOptions) {
    const { endpoints, name: node } = options;
    this.#options = options;
    this.#client = new EtcdClient({ endpoints, prefix }, defaultTimes);
    const speaker = { instance: node, run: randomUUID(), process: holderRecord() };
    this.#presence = new Presence({ client: this.#client, prefix, node, speaker });
  }

  /** It does not watch yet. */
  static async start(options: HostOptions): Promise<ThinHost> {
    const host = new ThinHost(options);
    const { name, address } = options;
    await host.#presence.claim();
    host.#presence.start();
    const record = { name, version: 'thin', addresses: [address], tunnel: address, started: '' };
    host.#presence.set(`nodes/${name}`, encodeRecord<'nodes'>(record));
    return host;
  }

  /** @param arrived told of each key that has changed from now on, without the prefix */
  async watch(arrived: (key: string) => void): Promise<void> {
    const { name, warn } = this.#options;
    const key = Buffer.from(`${prefix}/`);
    const { header } = await this.#client.call(methods.range, { key, limit: 1, keysOnly: true });
    let from = Number(header.revision) + 1;
    const { signal } = this.#closing;
    const follow = async () => {
      while (!signal.aborted) {
        const onChanges = (events: readonly KeyEvent[], position: number) => {
          from = position + 1;
          for (const event of events) arrived(event.key);
        };
        await watch(this.#client, { prefix, from, onStart: () => {}, onChanges, signal }).catch((error: unknown) => {
          if (!signal.aborted) warn(`${name}: its watch has ended, and begins again: ${error}`);
        });
      }
    };
    this.#watching = follow();
  }

  /**
   * Tells of endpoints, and holds an address for each, as a host does that has attached them.
   *
   * @param first of all endpoints of all thin hosts, so that no two have one address
   */
  async fill(index: number, first: number, count: number, names: readonly string[]): Promise<void> {
    const { name: node } = this.#options;
    const networks = await this.#networks(names);
    const held: { readonly key: string; readonly text: string }[] = [];
    for (let n = 0; n < count; n++) {
      const network = networks[(first + n) % networks.length];
      const [subnet] = network?.subnets ?? [];
      if (!network || !subnet) throw new Error('the networks are not there');
      const id = createHash('sha256').update(`${node} ${n}`).digest('hex');
      const place = firstAddress + Math.floor((first + n) / networks.length);
      const address = `${subnet.cidr.split('.').slice(0, 2).join('.')}.${place >> 8}.${place & 255}`;
      const text = encodeRecord<'addresses'>({ network: network.id, address, node, endpoint: id });
      held.push({ key: `addresses/${network.id}/${address}`, text });
      const endpoint = encodeRecord<'cluster-endpoints'>({
        ...{
          id,
          name: id.slice(0, 12),
          network: network.id,
          owner: 'vetch',
          mac: macFor(`${network.id} ${address}`, 0),
        },
        ...{ addresses: [`${address}/16`], labels: labelsOf(index, n), ports: [], node },
      });
      this.#presence.set(`endpoints/${node}/${id}`, endpoint);
    }
    for (let at = 0; at < held.length; at += portion) {
      const success = held.slice(at, at + portion).map(({ key, text }) => {
        return { requestPut: { key: Buffer.from(`${prefix}/${key}`), value: Buffer.from(text) } };
      });
      await this.#client.call(methods.txn, { compare: [], success, failure: [] });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#presence.close();
    this.#client.close();
    await this.#watching;
  }

  async #networks(names: readonly string[]): Promise<Network[]> {
    const start = `${prefix}/networks/`;
    const { kvs } = await this.#client.call(methods.range, { key: Buffer.from(start), rangeEnd: endOf(start) });
    const all = kvs.map(({ value }) => JSON.parse(value.toString()) as Network);
    return names.flatMap((name) => all.find((network) => network.name === name) ?? []);
  }
}
