import { randomBytes } from 'node:crypto';
import { canonicalAddress, withoutLength } from '../../model/address.ts';
import { type HeldPool, HeldPools, type PoolWish } from '../../network/held-pools.ts';
import type { Store } from '../../store/contract.ts';
import type { Context } from '../context.ts';

const poolFacts = 'docker/pool/';
const addressFacts = 'docker/address/';

/** Milliseconds after which an address that no endpoint has belongs to nobody: its engine died before it used it. */
const forgotten = 30_000;

/** Docker's address pools: what our IPAM driver has handed out, on the disk before it is answered. */
export class DockerPools {
  readonly #context: Context;
  readonly held: HeldPools;

  private constructor(context: Context, held: HeldPools) {
    this.#context = context;
    this.held = held;
  }

  static async load(context: Context): Promise<DockerPools> {
    return new DockerPools(context, await loadPools(context.store));
  }

  request(wish: PoolWish, signal: AbortSignal): Promise<HeldPool> {
    const { host, lock, options, state, store } = this.#context;
    return lock.run(async () => {
      signal.throwIfAborted();
      for (const unused of this.unusedPools(Date.now())) await this.drop(unused);
      const neighbours = { networks: state.index.networks.values(), hostRoutes: host.foreignRoutes() };
      const chosen = this.held.choose(wish, neighbours, options.node);
      const pool = { id: randomBytes(8).toString('hex'), ...chosen, created: new Date().toISOString() };
      await store.putFact(poolFacts + pool.id, JSON.stringify(pool));
      this.held.add(pool);
      return pool;
    });
  }

  release(id: string): Promise<void> {
    return this.#context.lock.run(() => this.drop(id));
  }

  /** The caller holds the lock. */
  async drop(id: string): Promise<void> {
    const addresses = [...this.held.addresses(id).keys()];
    await this.#context.store.transaction((writer) => {
      writer.putFact(poolFacts + id, undefined);
      for (const address of addresses) writer.putFact(addressFact(id, address), undefined);
    });
    this.held.remove(id);
  }

  requestAddress(pool: string, wish: string | undefined, signal: AbortSignal): Promise<string> {
    return this.#context.lock.run(async () => {
      signal.throwIfAborted();
      if (wish !== undefined) await this.#reclaim(pool, canonicalAddress(wish));
      const address = this.held.chooseAddress(pool, wish, this.#virtualAddresses(pool));
      const since = new Date().toISOString();
      await this.#context.store.putFact(addressFact(pool, address), since);
      this.held.take(pool, address, since);
      return this.held.withLength(pool, address);
    });
  }

  /** Of services in the network that was made of a pool. */
  #virtualAddresses(pool: string): Set<string> {
    const { networks, services } = this.#context.state.index;
    const cidr = this.held.get(pool)?.cidr;
    const ofPool = [...services.values()].filter(({ network }) =>
      networks.get(network)?.subnets.some((subnet) => subnet.cidr === cidr),
    );
    return new Set(ofPool.map(({ vip }) => vip));
  }

  releaseAddress(pool: string, address: string): Promise<void> {
    return this.#context.lock.run(() => this.dropAddress(pool, canonicalAddress(address)));
  }

  /** The caller holds the lock. */
  async dropAddress(pool: string, address: string): Promise<void> {
    await this.#context.store.putFact(addressFact(pool, address), undefined);
    this.held.release(pool, address);
  }

  /** Releases what no engine uses any more. @returns how many addresses and pools */
  releaseUnused(): Promise<number> {
    return this.#context.lock.run(async () => {
      const now = Date.now();
      const [addresses, unused] = [this.orphans(now), this.unusedPools(now)];
      for (const { pool, address } of addresses) await this.dropAddress(pool, address);
      for (const pool of unused) await this.drop(pool);
      return addresses.length + unused.length;
    });
  }

  /** Addresses that nobody has: neither an endpoint, nor a network as its gateway or an auxiliary one. */
  orphans(now: number): { readonly pool: string; readonly address: string }[] {
    return this.held.pools.flatMap(({ id }) =>
      [...this.held.addresses(id)]
        .filter(([address, since]) => now - Date.parse(since) > forgotten && !this.#inUse(id, address))
        .map(([address]) => ({ pool: id, address })),
    );
  }

  /** Pools that no network was made of. */
  unusedPools(now: number): string[] {
    return this.held.pools
      .filter(({ id, created }) => now - Date.parse(created) > forgotten && !this.#networkOf(id))
      .map(({ id }) => id);
  }

  /** An address that its engine forgot is given again when it is asked for by name. */
  async #reclaim(pool: string, address: string): Promise<void> {
    const since = this.held.addresses(pool).get(address);
    if (since === undefined || Date.now() - Date.parse(since) < forgotten || this.#inUse(pool, address)) return;
    await this.dropAddress(pool, address);
  }

  #inUse(pool: string, address: string): boolean {
    const network = this.#networkOf(pool);
    // Between its pool and itself, a network's gateway is nobody's yet.
    if (!network) return true;
    const { index } = this.#context.state;
    if (index.endpointsAt(address).some((endpoint) => endpoint.network === network.id)) return true;
    return network.subnets.some(({ gateway, aux }) => gateway === address || Object.values(aux).includes(address));
  }

  #networkOf(pool: string) {
    const cidr = this.held.get(pool)?.cidr;
    for (const network of this.#context.state.index.networks.values()) {
      if (network.owner === 'docker' && network.subnets.some((subnet) => subnet.cidr === cidr)) return network;
    }
    return undefined;
  }
}

async function loadPools(store: Store): Promise<HeldPools> {
  const held = new HeldPools();
  for (const text of (await store.facts(poolFacts)).values()) held.add(JSON.parse(text) as HeldPool);
  for (const [key, since] of await store.facts(addressFacts)) {
    const slash = key.indexOf('/');
    held.take(key.slice(0, slash), withoutLength(key.slice(slash + 1)), since);
  }
  return held;
}

function addressFact(pool: string, address: string): string {
  return `${addressFacts}${pool}/${address}`;
}
