import type { PolicyDocument } from '../model/policy.ts';
import type { PolicyUpdate } from '../policy/compiler.ts';
import type { PolicyTables } from '../policy/tables.ts';

/** What the operations need of who compiles policy and enforces it. */
export interface PolicyEngine {
  /** What packets are judged by. */
  readonly tables: PolicyTables;
  /** Whether an address is one of the host's own. */
  isHost(address: string): boolean;
  /** The number of an endpoint on another host in `tables`, by `NODE/ID`; undefined: it is not known here. */
  remoteNumber(key: string): number | undefined;
  documentNumbered(number: number): PolicyDocument | undefined;
  /** Patterns of the domain names that documents let an endpoint reach, by its number. */
  domainsOf(number: number): readonly string[];
  /** Calls `listener` with the numbers of endpoints that policy may treat otherwise now. Gives what ends that. */
  onStandings(listener: (numbers: ReadonlySet<number>) => void): () => void;
  /** Numbers of the endpoints that a document selects, by its `policyKey`. */
  selected(key: string): readonly number[];
  /**
   * Resolves when other documents, or other labels of namespaces, are enforced on every endpoint; all of it or nothing.
   *
   * @param store once it is certain that it can be enforced, and before any of it is: what it throws is thrown, and nothing
   *   has been enforced at any moment
   * @throws VetchError UNSUPPORTED, MAP_FULL
   */
  change(update: Pick<PolicyUpdate, 'documents' | 'namespaces'>, store?: () => Promise<void>): Promise<void>;
}
