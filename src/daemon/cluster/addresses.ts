import { setTimeout as sleep } from 'node:timers/promises';
import { VetchError } from '../../api/error.ts';
import { canonicalAddress, familyOf, withoutLength } from '../../model/address.ts';
import { addressKey, type ClusterRecords, type HeldAddress } from '../../model/cluster.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { AddressBook } from '../../network/address-book.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { isSpare, planHoldings } from '../../network/plan-holdings.ts';
import { ConflictError } from '../../store/conflict.ts';
import type { Context } from '../context.ts';
import { AddressClaim, AddressClaims, NotHeldError, nobody } from './address-claims.ts';

/** Milliseconds until what the store did not take is tried again. */
const retry = 2_000;
/** Milliseconds that whoever detaches waits until the others know; then it happens by itself. */
const patience = 2_000;

export type AddressContext = Pick<Context, 'cluster' | 'lock' | 'log' | 'state'> & {
  readonly options: Pick<Context['options'], 'node'>;
};

/**
 * Which addresses of the cluster's networks this host has. An endpoint gets one that is held already, so that attaching
 * asks nobody; what changed is written behind it, and again until it is done.
 *
 * What this host uses is in its own store with its endpoints: what the cluster has of it is made to agree with that, at
 * the start as after each change.
 */
export class ClusterAddresses implements AsyncDisposable {
  readonly #context: AddressContext;
  readonly #book: AddressBook;
  /** Given back while the others thought that they were held in advance: by key, for whom they were. */
  readonly #leaving = new Map<string, string>();
  /** See `Holdings.prepared`. */
  readonly #prepared = new Set<string>();
  readonly #claims: AddressClaims;
  #running: Promise<void> | undefined;
  #wanted = false;
  #failing = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  /** There were not enough addresses to hold in advance. */
  #short = false;
  #warnings: readonly string[] = [];
  #reserved: (network: Network) => Iterable<string> = () => [];
  #joined: (network: Network) => boolean = () => false;

  constructor(context: AddressContext, { networks, addresses }: Pick<ClusterRecords, 'networks' | 'addresses'>) {
    this.#context = context;
    this.#book = new AddressBook(context.options.node, networks.values(), addresses.values());
    this.#claims = new AddressClaims({ book: this.#book, cluster: context.cluster, leaving: this.#leaving });
  }

  /** Ends with the transaction under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** For `vetch status`. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** What a host holds. */
  of(node: string): readonly HeldAddress[] {
    return this.#book.of(node);
  }

  /** They were given back for a host that is gone. The caller holds the lock. */
  forget(all: readonly HeldAddress[]): void {
    for (const { network, address } of all) this.#book.delete(network, address);
  }

  /** Another host has changed something. The caller holds the lock. */
  follow(changes: ReadonlyMap<string, HeldAddress | undefined>): void {
    let concerned = false;
    for (const [key, held] of changes) {
      concerned ||= this.#concerns(key, held);
      this.#set(key, held);
      concerned ||= this.#hasTooMany(key);
    }
    if (concerned) this.wake();
  }

  /** The caller holds the lock. */
  addNetwork(network: Network): void {
    this.#book.addNetwork(network);
    this.wake();
  }

  /**
   * Holds addresses in advance of a network that this host has made, so that it can begin there with the store away. Of
   * others it does from its first endpoint on, or for as long as an engine has joined them. The caller holds the lock.
   */
  prepare({ id }: Network): void {
    if (!this.#book.hasNetwork(id)) return;
    this.#prepared.add(id);
    this.wake();
  }

  /** The caller holds the lock. */
  removeNetwork(id: string): void {
    this.#prepared.delete(id);
    this.#book.removeNetwork(id);
  }

  /** For a change that makes something with addresses; what it has taken and not used by its end is given back. */
  claim(id: string): AddressClaim {
    return new AddressClaim(id, (claim) => this.#release(claim));
  }

  /**
   * Addresses for a new endpoint: those asked for, and one of each family for which none is. They may still have to be
   * held. The caller holds the lock.
   *
   * @throws VetchError ADDRESS_TAKEN: none is left
   */
  choose(network: Network, asked: readonly string[], claim: AddressClaim): readonly string[] {
    if (!spansHosts(network)) return asked;
    const users = this.#usersOf(network.id, claim);
    const families = new Set(asked.map((address) => familyOf(canonicalAddress(address))));
    const rest = network.subnets.map(({ cidr }) => familyOf(cidr)).filter((family) => !families.has(family));
    return [...asked, ...rest.map((family) => this.#next(network, family, claim, users))];
  }

  /** @param reserved which addresses of a network are kept for endpoints that are to come */
  keepReserved(reserved: (network: Network) => Iterable<string>): void {
    this.#reserved = reserved;
  }

  /** @param joined whether an engine has joined a network, of which addresses are held in advance then, too; see `wake` */
  keepJoined(joined: (network: Network) => boolean): void {
    this.#joined = joined;
  }

  /**
   * An address for an endpoint that is to come, this host's from now on: the one asked for, or any. The caller holds the
   * lock, and says so from then on when it is asked for what is reserved (`keepReserved`).
   *
   * @throws as `hold`; VetchError ADDRESS_TAKEN
   */
  reserve(network: Network, family: 4 | 6, asked: string | undefined, claim: AddressClaim): string {
    const users = this.#usersOf(network.id, claim);
    if (asked !== undefined && users.has(asked)) throw inUse(network, asked);
    const address = asked ?? this.#next(network, family, claim, users);
    this.hold(network, [address], claim);
    return address;
  }

  /** An address was reserved for an endpoint that does not come. The caller holds the lock. */
  giveBackReserved(network: Network, address: string): void {
    this.giveBack(network, { id: nobody(), addresses: [address] });
  }

  /**
   * Makes sure that addresses are this host's, within `changeHolding`. Those that it held in advance are told of later.
   *
   * @throws NotHeldError they are asked for; ConflictError ADDRESS_TAKEN: another host holds one; VetchError ADDRESS_TAKEN:
   *   another change takes one
   */
  hold(network: Network, addresses: readonly string[], claim: AddressClaim): void {
    if (!spansHosts(network)) return;
    const missing: string[] = [];
    for (const address of addresses.map(withoutLength)) {
      const key = addressKey({ network: network.id, address });
      if ((this.#claims.of(key) ?? claim) !== claim) throw inUse(network, address);
      const held = this.#book.get(network.id, address);
      if (held && held.node !== this.#book.node) {
        const message = `address ${address} of network ${network.name} is held by host ${held.node}`;
        throw new ConflictError('ADDRESS_TAKEN', message, 'choose another address, or none for an automatic one');
      }
      this.#leaving.delete(key);
      const ours = held?.endpoint === '' || (held && held === claim.addresses.get(key));
      if (!ours) missing.push(address);
    }
    if (missing.length > 0) throw new NotHeldError(this.#claims.take(claim, network, missing));
  }

  /** An endpoint or a service has come, another one than before has its addresses, or an engine has joined a network. */
  wake(): void {
    this.#wanted = true;
    if (this.#closed || this.#running) return;
    clearTimeout(this.#timer);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#wanted && !this.#failing) this.wake();
    });
  }

  /** An endpoint is gone, and its addresses are anybody's. The caller holds the lock. */
  giveBack(network: Network, { id, addresses }: Pick<Endpoint, 'id' | 'addresses'>): void {
    if (!spansHosts(network)) return;
    for (const address of addresses.map(withoutLength)) {
      const held = this.#book.ownOf(network.id).get(address);
      if (held?.endpoint === '') this.#leaving.set(addressKey(held), id);
    }
    this.wake();
  }

  /** Waits until the others can know what has changed, but not for a store that is away. Without the lock. */
  async settle(): Promise<void> {
    if (this.#failing) return;
    const waiting = new AbortController();
    const late = sleep(patience, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#running, late]);
    waiting.abort();
  }

  async #run(): Promise<void> {
    const { lock, log } = this.#context;
    for (let conflicts = 0; !this.#closed; ) {
      this.#wanted = false;
      try {
        const step = await lock.run(() => this.#begin(conflicts));
        if (!step) break;
        await step.written;
        await lock.run(() => step.apply());
        conflicts = 0;
        this.#failing = false;
      } catch (error) {
        if (error instanceof ConflictError && conflicts++ < 10 && (await this.#settled())) continue;
        if (!this.#failing) log.warn({ err: error }, "cannot tell the cluster which addresses are this host's");
        this.#failing = true;
        this.#timer = setTimeout(() => this.wake(), retry);
        return;
      }
    }
    this.#failing = false;
  }

  async #settled(): Promise<boolean> {
    try {
      await this.#context.cluster.settled();
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Sends the next transaction; undefined: there is nothing to do. It is under way before the lock is let go, so that what
   * is held for an endpoint after that comes after it.
   */
  #begin(conflicts: number) {
    const { cluster, state } = this.#context;
    // One that another host has removed stays here without it, for as long as it has endpoints.
    const networks = [...state.index.networks.values()].filter(({ id }) => this.#book.hasNetwork(id));
    const users = new Map(networks.map(({ id }) => [id, this.#usersOf(id)]));
    const usersOf = (network: string) => users.get(network) ?? new Map<string, string>();
    const [book, leaving] = [this.#book, this.#leaving];
    for (const network of networks) this.#share(network, usersOf(network.id));
    const expected = networks.filter((network) => this.#prepared.has(network.id) || this.#joined(network));
    const prepared = new Set(expected.map(({ id }) => id));
    const plan = planHoldings({ book, networks, usersOf, leaving, prepared, skip: skipAfter(conflicts) });
    this.#short = plan.short;
    this.#warnings = plan.taken.map(({ held, user }) => this.#warning(held, user));
    if (plan.puts.length + plan.deletes.length === 0) return undefined;
    const written = cluster.transaction((writer) => {
      for (const held of plan.deletes) writer.deleteAddress(held);
      for (const held of plan.puts) writer.putAddress(held);
    });
    // Whoever awaits it hears of its failure.
    written.catch(() => undefined);
    const after = new Map<string, HeldAddress | undefined>(plan.deletes.map((held) => [addressKey(held), undefined]));
    for (const held of plan.puts) after.set(addressKey(held), held);
    const before = new Map([...after.keys()].map((key) => [key, this.#get(key)]));
    return {
      written,
      apply: () => {
        // What has changed meanwhile is newer.
        for (const [key, held] of after) if (this.#get(key) === before.get(key)) this.#set(key, held);
      },
    };
  }

  /**
   * Whether what another host has changed may change what this one holds: of a cluster's thousand changes a second almost
   * none does, and to look at all that is held here for each of them would be most of what a host does.
   */
  #concerns(key: string, held: HeldAddress | undefined): boolean {
    const { node } = this.#book;
    if (held?.node === node || this.#get(key)?.node === node) return true;
    // There were not enough to hold in advance, and now there is one more.
    if (!held && this.#short) return true;
    const { index } = this.#context.state;
    const slash = key.indexOf('/');
    const [network, address] = [key.slice(0, slash), key.slice(slash + 1)];
    if (this.#claims.of(key)) return true;
    if (index.endpointsAt(address).some((endpoint) => endpoint.network === network)) return true;
    for (const service of index.services.values())
      if (service.vip === address && service.network === network) return true;
    const known = index.networks.get(network);
    for (const reserved of known ? this.#reserved(known) : []) if (reserved === address) return true;
    return false;
  }

  /** Whether, now that an address has changed, others need more what this host holds in advance of its network. */
  #hasTooMany(key: string): boolean {
    const slash = key.indexOf('/');
    return this.#book.excess(key.slice(0, slash), familyOf(key.slice(slash + 1))) > 0;
  }

  /** Has what is held in advance of a network leave, where the others need it more. */
  #share({ id, subnets }: Network, users: ReadonlyMap<string, string>): void {
    for (const { cidr } of subnets) {
      const family = familyOf(cidr);
      if (this.#book.excess(id, family) === 0) continue;
      const spare = [...this.#book.ownOf(id).values()].filter((held) => {
        return familyOf(held.address) === family && isSpare(held, users, this.#leaving);
      });
      const excess = this.#book.excess(id, family, spare.length);
      for (const held of spare.slice(spare.length - excess)) this.#leaving.set(addressKey(held), nobody());
    }
  }

  #next(network: Network, family: 4 | 6, claim: AddressClaim, users: ReadonlyMap<string, string>): string {
    const ours = ({ network: id, address }: HeldAddress) => id === network.id && familyOf(address) === family;
    const own =
      [...claim.addresses.values()].find(ours) ??
      [...this.#book.ownOf(network.id).values()].find((held) => ours(held) && isSpare(held, users, this.#leaving));
    const address = own?.address ?? this.#book.free(network.id, family, 1, skipAfter(claim.conflicts))[0];
    if (address !== undefined) return address;
    throw new VetchError(
      'ADDRESS_TAKEN',
      `no address of network ${network.name} is free to be handed out: hosts hold all of them`,
      'detach endpoints that are no longer needed, or use a network with a larger subnet',
    );
  }

  #release(claim: AddressClaim): void {
    const released = this.#claims.release(claim);
    for (const held of released.filter(({ endpoint }) => endpoint === '')) {
      if (!this.#usersOf(held.network).has(held.address)) this.#leaving.set(addressKey(held), nobody());
    }
    if (released.length > 0) this.wake();
  }

  /**
   * What uses addresses of a network here, by address; nobody yet, where one is reserved.
   *
   * @param except this claim's are left out
   */
  #usersOf(network: string, except?: AddressClaim): Map<string, string> {
    const { index } = this.#context.state;
    const users = new Map<string, string>();
    for (const [address, id] of this.#claims.users(network, except)) users.set(address, id);
    const known = index.networks.get(network);
    for (const address of known ? this.#reserved(known) : []) users.set(address, '');
    for (const { id, addresses } of index.endpointsOf(network).values()) {
      for (const address of addresses) users.set(withoutLength(address), id);
    }
    for (const service of index.services.values()) if (service.network === network) users.set(service.vip, service.id);
    return users;
  }

  #warning({ network, address, node }: HeldAddress, user: string): string {
    const { index } = this.#context.state;
    const name = index.endpoints.get(user)?.name ?? index.services.get(user)?.name ?? user.slice(0, 12);
    const full = `${index.networks.get(network)?.name ?? network.slice(0, 12)}/${name}`;
    return `address ${address} of ${full} is held by host ${node}: detach it, and attach it again`;
  }

  #get(key: string): HeldAddress | undefined {
    const slash = key.indexOf('/');
    return this.#book.get(key.slice(0, slash), key.slice(slash + 1));
  }

  #set(key: string, held: HeldAddress | undefined): void {
    const slash = key.indexOf('/');
    if (held) this.#book.put(held);
    else this.#book.delete(key.slice(0, slash), key.slice(slash + 1));
    if (held?.endpoint !== '') this.#leaving.delete(key);
  }
}

/** How many addresses to pass over: hosts that take some at one moment would meet again and again. */
function skipAfter(conflicts: number): number {
  return conflicts === 0 ? 0 : Math.floor(Math.random() * 8 * 2 ** conflicts);
}

function inUse({ name }: Network, address: string): VetchError {
  return new VetchError(
    'ADDRESS_TAKEN',
    `address ${address} of network ${name} is already in use`,
    'choose another address, or none for an automatic one',
  );
}
