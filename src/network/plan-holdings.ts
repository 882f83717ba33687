import { familyOf } from '../model/address.ts';
import { addressKey, type HeldAddress } from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import type { AddressBook } from './address-book.ts';

/** Records of one transaction, and networks that they are of, which the store looks at, too; it takes 120. */
const portion = 100;

/** What a host has of the cluster's addresses, and what it uses. */
export interface Holdings {
  readonly book: AddressBook;
  /** The cluster's networks that the host has. */
  readonly networks: Iterable<Network>;
  /** What uses addresses of a network on this host, by address: the ids of endpoints and services. */
  readonly usersOf: (network: string) => ReadonlyMap<string, string>;
  /** Addresses, by `addressKey`, that are to be given back, and for whom they were. */
  readonly leaving: ReadonlyMap<string, string>;
  /** Networks of which the host holds some in advance before it has used any. */
  readonly prepared: ReadonlySet<string>;
  /** Addresses to pass over when new ones are taken, to get out of other hosts' way. */
  readonly skip: number;
}

export interface HoldingsPlan {
  /** In this order, after the deletes. */
  readonly puts: readonly HeldAddress[];
  readonly deletes: readonly HeldAddress[];
  /** What this host uses and another one holds. */
  readonly taken: readonly { readonly held: HeldAddress; readonly user: string }[];
  /** Of some network fewer addresses are free than are to be held in advance. */
  readonly short: boolean;
}

/**
 * What to write so that the cluster knows who has the addresses that this host holds: what is used is held for its user,
 * what was held for one that is gone is given back, and a few are held in advance of each network that is used here or
 * has been: a network that is made would else be a write of every host's.
 *
 * Nothing that is held in advance is given back directly: it is held for somebody first. So whoever knows an older state
 * of the cluster, as a host that starts without etcd does, never takes for its own what it gave back.
 */
export function planHoldings({ book, networks, usersOf, leaving, prepared, skip }: Holdings): HoldingsPlan {
  const puts: HeldAddress[] = [];
  const deletes: HeldAddress[] = [];
  const taken: { held: HeldAddress; user: string }[] = [];
  let short = false;
  for (const held of book.own()) {
    const user = usersOf(held.network).get(held.address) ?? '';
    if (user === held.endpoint) {
      const before = user === '' ? leaving.get(addressKey(held)) : undefined;
      if (before !== undefined) puts.push({ ...held, endpoint: before });
    } else if (user === '') {
      deletes.push(held);
    } else {
      if (held.endpoint !== '') puts.push({ ...held, endpoint: '' });
      puts.push({ ...held, endpoint: user });
    }
  }
  for (const network of networks) {
    const users = usersOf(network.id);
    let unheld = 0;
    for (const [address, user] of users) {
      const held = book.get(network.id, address);
      if (held && held.node !== book.node) taken.push({ held, user });
      if (held) continue;
      unheld++;
      puts.push({ network: network.id, address, node: book.node, endpoint: user });
    }
    if (users.size === 0 && book.ownOf(network.id).size === 0 && !prepared.has(network.id)) continue;
    const spare = [...book.ownOf(network.id).values()].filter((held) => isSpare(held, users, leaving));
    for (const { cidr } of network.subnets) {
      const family = familyOf(cidr);
      const missing =
        book.reserve(network.id, family) - spare.filter((held) => familyOf(held.address) === family).length;
      if (missing <= 0) continue;
      const free = book.free(network.id, family, missing + unheld, skip).filter((address) => !users.has(address));
      short ||= free.length < missing;
      for (const address of free.slice(0, missing)) {
        puts.push({ network: network.id, address, node: book.node, endpoint: '' });
      }
    }
  }
  return {
    deletes: deletes.slice(0, portion),
    puts: fitting(puts, portion - deletes.length),
    taken,
    short,
  };
}

/** The first of them, that a transaction has room for. */
function fitting(puts: readonly HeldAddress[], room: number): HeldAddress[] {
  const networks = new Set<string>();
  const end = puts.findIndex(({ network }, index) => index + networks.add(network).size >= room);
  return puts.slice(0, end === -1 ? undefined : end);
}

/** Whether the next endpoint may have it. */
export function isSpare(
  held: HeldAddress,
  users: ReadonlyMap<string, string>,
  leaving: ReadonlyMap<string, string>,
): boolean {
  return held.endpoint === '' && !users.has(held.address) && !leaving.has(addressKey(held));
}
