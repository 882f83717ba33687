import { randomBytes } from 'node:crypto';
import { VetchError } from '../../api/error.ts';
import { addressKey, type HeldAddress } from '../../model/cluster.ts';
import type { Network } from '../../model/network.ts';
import type { AddressBook } from '../../network/address-book.ts';
import { ConflictError } from '../../store/conflict.ts';
import type { Context } from '../context.ts';

/** Addresses of the cluster's that a change under way takes for something new: nothing else on this host gets them. */
export class AddressClaim implements Disposable {
  /** Whom they are for, an endpoint or a service; empty: they are to be held in advance. */
  readonly id: string;
  /** By `addressKey`: held, or about to be. */
  readonly addresses = new Map<string, HeldAddress>();
  /** How often another host was faster. */
  conflicts = 0;
  readonly #release: (claim: AddressClaim) => void;

  /** @param release what happens when the change has ended */
  constructor(id: string, release: (claim: AddressClaim) => void) {
    this.id = id;
    this.#release = release;
  }

  [Symbol.dispose](): void {
    this.#release(this);
  }
}

/** A change lacks addresses that the cluster is asked for meanwhile: without the lock, for it may take its time. */
export class NotHeldError extends Error {
  override readonly name = 'NotHeldError';
  /** Once it has resolved the change is planned anew, and has them. @throws as `AddressClaims.take` */
  readonly held: Promise<void>;

  constructor(held: Promise<void>) {
    super('the addresses are not held yet');
    this.held = held;
    // Whoever awaits it hears of its failure.
    held.catch(() => undefined);
  }
}

export interface ClaimContext {
  readonly book: AddressBook;
  readonly cluster: Pick<Context['cluster'], 'transaction'>;
  /** See `Holdings.leaving`. */
  readonly leaving: Map<string, string>;
}

/** The claims of all changes under way. In the book theirs is this host's from the moment that it is asked for. */
export class AddressClaims {
  readonly #context: ClaimContext;
  readonly #claims = new Map<string, AddressClaim>();

  constructor(context: ClaimContext) {
    this.#context = context;
  }

  of(key: string): AddressClaim | undefined {
    return this.#claims.get(key);
  }

  /** What other changes have claimed of a network, and for whom. */
  *users(network: string, except?: AddressClaim): Iterable<readonly [address: string, id: string]> {
    for (const claim of new Set(this.#claims.values())) {
      if (claim === except) continue;
      for (const held of claim.addresses.values()) if (held.network === network) yield [held.address, claim.id];
    }
  }

  /**
   * Asks the cluster for addresses that no other host holds. The caller holds the lock until this returns, not until it
   * resolves.
   *
   * @throws ConflictError another host was faster; VetchError UNAVAILABLE. Then the claim is without them
   */
  async take(claim: AddressClaim, network: Network, addresses: readonly string[]): Promise<void> {
    const { book, cluster } = this.#context;
    const before = new Map<HeldAddress, HeldAddress | undefined>();
    const puts: HeldAddress[] = [];
    for (const address of addresses) {
      const known = book.get(network.id, address);
      const held: HeldAddress = { network: network.id, address, node: book.node, endpoint: claim.id };
      // What was for somebody else here is for nobody first.
      if (known) puts.push({ ...known, endpoint: '' });
      if (!known || claim.id !== '') puts.push(held);
      before.set(held, known);
      claim.addresses.set(addressKey(held), held);
      this.#claims.set(addressKey(held), claim);
      book.put(held);
    }
    try {
      await cluster.transaction((writer) => {
        for (const held of puts) writer.putAddress(held);
      });
    } catch (error) {
      const unknown = !(error instanceof ConflictError) && error instanceof VetchError && error.code === 'UNAVAILABLE';
      for (const [held, known] of before) this.#undo(claim, held, known, unknown);
      if (error instanceof ConflictError) claim.conflicts++;
      if (!unknown) throw error;
      throw new VetchError(
        'UNAVAILABLE',
        `this host does not hold ${addresses.join(', ')} of network ${network.name}, and cannot: ${error.message}`,
        "try again when the cluster's store is back",
        { cause: error },
      );
    }
  }

  /** The change has ended. Gives what was claimed. */
  release(claim: AddressClaim): HeldAddress[] {
    const all = [...claim.addresses];
    claim.addresses.clear();
    for (const [key] of all) this.#claims.delete(key);
    return all.map(([, held]) => held);
  }

  /** @param unknown whether the cluster may have given it all the same: what it tells later is then given back */
  #undo(claim: AddressClaim, held: HeldAddress, known: HeldAddress | undefined, unknown: boolean): void {
    const { book, leaving } = this.#context;
    const key = addressKey(held);
    claim.addresses.delete(key);
    this.#claims.delete(key);
    if (unknown && held.endpoint === '') leaving.set(key, nobody());
    // What has been told meanwhile is newer.
    if (book.get(held.network, held.address) !== held) return;
    if (known) book.put(known);
    else book.delete(held.network, held.address);
  }
}

/** Stands for an endpoint that does not come. For whom an address was does not matter to anybody, but that it was does: see `planHoldings`. */
export function nobody(): string {
  return randomBytes(32).toString('hex');
}
