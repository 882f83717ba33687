import { randomBytes } from 'node:crypto';
import { VetchError } from '../../api/error.ts';
import { canonicalAddress, familyOf, withoutLength } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { type HeldPool, HeldPools, type PoolWish } from '../../network/held-pools.ts';
import type { Store } from '../../store/contract.ts';
import { changeHolding } from '../change-cluster.ts';
import type { Context } from '../context.ts';
import { poolOfCluster, theGateway } from './cluster-pool.ts';
import { JoinedNetworks } from './joined-networks.ts';

const poolFacts = 'docker/pool/';
const addressFacts = 'docker/address/';

/** Milliseconds after which an address that no endpoint has belongs to nobody: its engine died before it used it. */
const forgotten = 30_000;

/** Docker's address pools: what our IPAM driver has handed out, on the disk before it is answered. */
export class DockerPools {
  readonly #context: Context;
  readonly held: HeldPools;
  readonly joined: JoinedNetworks;

  private constructor(context: Context, held: HeldPools, joined: JoinedNetworks) {
    this.#context = context;
    this.held = held;
    this.joined = joined;
  }

  static async load(context: Context): Promise<DockerPools> {
    const pools = new DockerPools(context, await loadPools(context.store), await JoinedNetworks.load(context));
    context.addresses.keepReserved((network) => pools.#reserved(network));
    context.addresses.keepJoined(({ name }) => pools.joined.named(name) !== undefined);
    return pools;
  }

  /** @returns its subnet as an engine is to know it, too */
  request(wish: PoolWish, signal: AbortSignal): Promise<Pick<HeldPool, 'id' | 'cidr'>> {
    const { host, lock, networks, options, state, store } = this.#context;
    return lock.run(async () => {
      signal.throwIfAborted();
      for (const unused of this.unusedPools(Date.now())) await this.drop(unused);
      const neighbours = {
        networks: wish.network === undefined ? state.index.networks.values() : networks.all,
        hostRoutes: host.foreignRoutes(),
      };
      const chosen = poolOfCluster(wish, state.index) ?? this.held.choose(wish, neighbours, options.node);
      const pool: HeldPool = {
        id: randomBytes(8).toString('hex'),
        ...chosen,
        ...(wish.network === undefined ? {} : { network: wish.network }),
        created: new Date().toISOString(),
      };
      await store.putFact(poolFacts + pool.id, JSON.stringify(pool));
      this.held.add(pool);
      return { id: pool.id, cidr: pool.told ?? pool.cidr };
    });
  }

  release(id: string): Promise<void> {
    return this.#context.lock.run(() => this.drop(id));
  }

  /** The caller holds the lock. */
  async drop(id: string): Promise<void> {
    const addresses = [...this.held.addresses(id).keys()];
    const reserved = this.#reservedOf(id);
    await this.#context.store.transaction((writer) => {
      writer.putFact(poolFacts + id, undefined);
      for (const address of addresses) writer.putFact(addressFact(id, address), undefined);
    });
    this.held.remove(id);
    if (!reserved) return;
    for (const address of reserved.addresses) this.#context.addresses.giveBackReserved(reserved.network, address);
  }

  /** @param gateway whether it is to be a network's */
  requestAddress(pool: string, wish: string | undefined, gateway: boolean, signal: AbortSignal): Promise<string> {
    if (this.#clusterNetwork(pool)) return this.#reserve(pool, wish, gateway, signal);
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
    const reserved = this.#reservedOf(pool);
    await this.#context.store.putFact(addressFact(pool, address), undefined);
    this.held.release(pool, address);
    if (reserved?.addresses.includes(address)) this.#context.addresses.giveBackReserved(reserved.network, address);
  }

  /** The endpoint that addresses were reserved for is there. The caller holds the lock. */
  async consume(network: Network, addresses: readonly string[]): Promise<void> {
    for (const { id } of this.held.pools.filter((pool) => pool.network === network.name)) {
      for (const address of addresses.filter((one) => this.held.addresses(id).has(one))) {
        await this.#context.store.putFact(addressFact(id, address), undefined);
        this.held.release(id, address);
      }
    }
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
      .filter(({ created }) => now - Date.parse(created) > forgotten)
      .filter(({ id, network }) => (network === undefined ? !this.#networkOf(id) : !this.joined.named(network)))
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

  /** An address of a network that is the cluster's already; this host's at once, and on the disk. */
  #reserve(pool: string, wish: string | undefined, gateway: boolean, signal: AbortSignal): Promise<string> {
    const { addresses, state, store } = this.#context;
    return changeHolding(this.#context, '', async (claim) => {
      signal.throwIfAborted();
      const network = this.#clusterNetwork(pool);
      const asked = wish === undefined ? undefined : canonicalAddress(wish);
      const cidr = this.held.get(pool)?.cidr;
      const subnet = network?.subnets.find((one) => one.cidr === cidr);
      if (!network || !subnet) {
        throw new VetchError('NOT_FOUND', `there is no address pool ${pool}`, 'make the network again');
      }
      if (gateway) return this.held.withLength(pool, theGateway(network, subnet, asked));
      if (asked !== undefined) {
        if (Object.values(subnet.aux).includes(asked)) return this.held.withLength(pool, asked);
        await this.#reclaim(pool, asked);
        state.taken
          .network(network.id)
          ?.pools.find((one) => one.cidr === subnet.cidr)
          ?.check(asked);
      }
      const address = addresses.reserve(network, familyOf(subnet.cidr), asked, claim);
      const since = new Date().toISOString();
      await store.putFact(addressFact(pool, address), since);
      this.held.take(pool, address, since);
      return this.held.withLength(pool, address);
    });
  }

  /** What endpoints that are to come have of a network. */
  #reserved(network: Network): string[] {
    const own = this.held.pools.filter((pool) => pool.network === network.name);
    return own.flatMap(({ id }) => this.#reservedOf(id)?.addresses ?? []);
  }

  /** Of a pool of the cluster's: what is neither a gateway nor auxiliary. */
  #reservedOf(pool: string) {
    const network = this.#clusterNetwork(pool);
    if (!network) return undefined;
    const kept = new Set(network.subnets.flatMap(({ gateway, aux }) => [gateway, ...Object.values(aux)]));
    return { network, addresses: [...this.held.addresses(pool).keys()].filter((address) => !kept.has(address)) };
  }

  /** The cluster's network that a pool is of, once it is there. */
  #clusterNetwork(pool: string): Network | undefined {
    const { network: name, cidr } = this.held.get(pool) ?? {};
    const network = name === undefined ? undefined : this.#context.state.index.networkNamed(name);
    return network && spansHosts(network) && network.subnets.some((one) => one.cidr === cidr) ? network : undefined;
  }

  #networkOf(pool: string) {
    const { cidr, network: name } = this.held.get(pool) ?? {};
    if (name !== undefined) return this.#clusterNetwork(pool);
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
