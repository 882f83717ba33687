import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';

/** What a host has for itself: the rest of its intent is its cluster's (`ClusterStore`). */
export type HostIntent = Pick<Intent, 'networks' | 'endpoints' | 'deny' | 'services'>;

/** Changes to a host's own intent. A put replaces what has the same id; a delete of what is not there does nothing. */
export interface IntentWriter<Result> {
  putNetwork(network: Network): Result;
  deleteNetwork(id: string): Result;
  putEndpoint(endpoint: Endpoint): Result;
  deleteEndpoint(id: string): Result;
  /** Canonical prefixes, many at once. */
  putDeny(cidrs: readonly string[]): Result;
  deleteDeny(cidrs: readonly string[]): Result;
  putService(service: Service): Result;
  deleteService(id: string): Result;
  /** A fact of this host that is no intent but must outlive the daemon; `undefined` removes it. */
  putFact(name: string, value: string | undefined): Result;
}

/**
 * Where a host's own intent outlives its daemon. One process at a time has it open.
 *
 * What a promise has resolved for is on the disk: it survives SIGKILL and a loss of power. What it has not resolved for
 * is there wholly or not at all. Writes take effect in the order of their calls. Every store passes
 * `test/compliance/store.ts`.
 */
export interface Store extends IntentWriter<Promise<void>> {
  /**
   * All of it, as one moment saw it. Records of an older schema are migrated.
   *
   * @throws VetchError UNSUPPORTED: written by a newer version; INTERNAL: a record cannot be read, and which
   */
  load(): Promise<HostIntent>;
  fact(name: string): Promise<string | undefined>;
  /** The facts whose names begin so, by the rest of their names. */
  facts(prefix: string): Promise<Map<string, string>>;
  /**
   * All of what `change` asks of the writer, or nothing: it is applied when `change` returns, and dropped when it throws.
   * `change` is synchronous and does not read.
   */
  transaction(change: (writer: IntentWriter<void>) => void): Promise<void>;
  /** Waits for the writes under way. The store is of no use afterwards; closing twice does nothing. */
  close(): Promise<void>;
}
