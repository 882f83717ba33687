import type { ClusterEndpoint, ClusterRecords, HeldAddress, Node, NumberedIdentity } from '../model/cluster.ts';
import type { Network } from '../model/network.ts';
import type { Labels, PolicyDocument } from '../model/policy.ts';
import type { ClusterWrite } from './cluster-writes.ts';

/** What no two records of a kind may share. */
export const uniqueProperties = {
  policies: ({ number }: PolicyDocument): unknown => number,
  identities: ({ key }: NumberedIdentity): unknown => key,
};
export type UniqueKind = keyof typeof uniqueProperties;

/** The records of a cluster in memory. */
export class ClusterView implements ClusterRecords {
  readonly networks = new Map<string, Network>();
  readonly addresses = new Map<string, HeldAddress>();
  readonly identities = new Map<string, NumberedIdentity>();
  readonly policies = new Map<string, PolicyDocument>();
  readonly namespaces = new Map<string, Labels>();
  readonly nodes = new Map<string, Node>();
  readonly endpoints = new Map<string, ClusterEndpoint>();
  readonly #holders = { policies: new Map<unknown, string>(), identities: new Map<unknown, string>() };

  /** @param record of that kind; `undefined` removes */
  set<Kind extends keyof ClusterRecords>(kind: Kind, key: string, record: unknown): void {
    const records = this[kind] as Map<string, unknown>;
    if (kind === 'policies' || kind === 'identities') this.#hold(kind, key, records.get(key), record);
    if (record === undefined) records.delete(key);
    else records.set(key, record);
  }

  apply(writes: readonly ClusterWrite[]): void {
    for (const { kind, key, record } of writes) {
      this.set(kind, key, kind === 'namespaces' ? record?.labels : record);
    }
  }

  /** The key of the record that has what no other may. */
  holderOf(kind: UniqueKind, value: unknown): string | undefined {
    return this.#holders[kind].get(value);
  }

  /** As it is now: it does not change with this. */
  copy(): ClusterRecords {
    return {
      networks: new Map(this.networks),
      addresses: new Map(this.addresses),
      identities: new Map(this.identities),
      policies: new Map(this.policies),
      namespaces: new Map(this.namespaces),
      nodes: new Map(this.nodes),
      endpoints: new Map(this.endpoints),
    };
  }

  #hold(kind: UniqueKind, key: string, before: unknown, after: unknown): void {
    const property = uniqueProperties[kind] as (record: unknown) => unknown;
    const holders = this.#holders[kind];
    if (before !== undefined && holders.get(property(before)) === key) holders.delete(property(before));
    if (after !== undefined) holders.set(property(after), key);
  }
}
