import type {
  ClusterChanges,
  ClusterEndpoint,
  ClusterRecords,
  HeldAddress,
  Node,
  NumberedIdentity,
} from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import type { Labels, PolicyDocument } from '../model/policy.ts';

/**
 * Changes to what the hosts have in common. A put replaces what has the same key; a delete of what is not there does
 * nothing. A change that would give away what another record has is refused with ConflictError:
 *
 * - two networks with one name or number, or overlapping subnets; two documents, or two identities, with one number;
 * - two numbers for one identity;
 * - an address of a network that is not there, or that is held by another host or, not in advance, for another endpoint;
 * - the removal of a network of which addresses are held for endpoints. Those that are held in advance go with it.
 */
export interface ClusterWriter {
  putNetwork(network: Network): void;
  deleteNetwork(id: string): void;
  putAddress(address: HeldAddress): void;
  deleteAddress(address: Pick<HeldAddress, 'network' | 'address'>): void;
  putIdentity(identity: NumberedIdentity): void;
  deleteIdentity(number: number): void;
  putPolicy(document: PolicyDocument): void;
  /** By `policyKey`. */
  deletePolicy(key: string): void;
  /** Labels of one of policy's namespaces; `undefined` removes them. */
  putNamespace(name: string, labels: Labels | undefined): void;
}

/**
 * What a host tells the others of itself. It is there while the host's process is; and afterwards for as long as its lease,
 * seconds where the process ended by itself, or a day where the store was closed: the next process takes it over.
 */
export interface PresenceWriter {
  putNode(node: Omit<Node, 'name'>): void;
  putEndpoint(endpoint: Omit<ClusterEndpoint, 'node'>): void;
  deleteEndpoint(id: string): void;
}

/**
 * Told of what other hosts have changed, after `load`, in order and never by halves of one transaction. What has changed
 * several times while it was at work comes as one change. The next call waits for its promise. It must not fail.
 */
export type ClusterFollower = (changes: ClusterChanges) => void | Promise<void>;

/**
 * Where the hosts of a cluster keep what they have in common. A host by itself is a cluster, too.
 *
 * What a promise of `transaction` has resolved for is there for good. What it has not resolved for is there wholly or not
 * at all. Transactions take effect in the order of their calls. Every such store passes `test/compliance/cluster.ts`.
 */
export interface ClusterStore {
  /**
   * All of it, as one moment saw it; where the others cannot be reached, as they were last known.
   *
   * @throws VetchError UNSUPPORTED: written by a newer version; INTERNAL: a record cannot be read, and which
   */
  load(): Promise<ClusterRecords>;
  /** Who is told of what changes from the last `load` on. There is one follower. */
  follow(follower: ClusterFollower): void;
  /**
   * All of what `change` asks of the writer, or nothing. `change` is synchronous and does not read; what it was made of is
   * what `load` and the follower have been told: it is refused when another host has changed any of that meanwhile.
   *
   * @throws ConflictError: another host was faster: see {@link settled}; VetchError UNAVAILABLE: the store cannot be
   *   reached, and whether it has happened is learned like a change of another host's; INVALID: too much for one
   *   transaction; UNSUPPORTED: a newer version wrote what this would replace
   */
  transaction(change: (writer: ClusterWriter) => void): Promise<void>;
  /**
   * Resolves when the follower has been told of all that has refused a transaction so far: then it can be planned anew. Not
   * to be awaited by whoever keeps the follower waiting.
   *
   * @throws VetchError UNAVAILABLE
   */
  settled(): Promise<void>;
  /**
   * Never fails and does not wait: it is told when the store can be reached, and told again when the lease had to be made
   * anew. With the first call goes what an earlier process of this host told and this one does not.
   */
  publish(change: (writer: PresenceWriter) => void): void;
  /** After a first `publish`: waits until the others know of it, but not for long for a store that is away. */
  told(): Promise<void>;
  /** Lines for `vetch status`: what does not work, since when, and what to do. */
  readonly warnings: readonly string[];
  /** Waits for the transaction under way. The store is of no use afterwards; closing twice does nothing. */
  close(): Promise<void>;
}
