import { addressKey } from '../model/cluster.ts';
import { policyKey } from '../model/policy.ts';
import type { ClusterWriter } from './cluster-contract.ts';
import { encodeRecord } from './codec.ts';
import type { RecordOf } from './records.ts';

/** The kinds that any host may write. */
export type SharedKind = 'networks' | 'addresses' | 'identities' | 'policies' | 'namespaces';

type WriteOf<Kind extends SharedKind> = {
  readonly kind: Kind;
  readonly key: string;
  /** Absent: remove. */
  readonly record?: RecordOf<Kind>;
  /** The record, encoded at once, so that later changes of it do not count. */
  readonly text?: string;
};

export type ClusterWrite = { [Kind in SharedKind]: WriteOf<Kind> }[SharedKind];

/** What a change asks of its writer. */
export function gatherWrites(change: (writer: ClusterWriter) => void): ClusterWrite[] {
  const writes: ClusterWrite[] = [];
  const put = <Kind extends SharedKind>(kind: Kind, key: string, record: RecordOf<Kind>) => {
    writes.push({ kind, key, record: structuredClone(record), text: encodeRecord<Kind>(record) } as ClusterWrite);
  };
  const remove = (kind: SharedKind, key: string) => void writes.push({ kind, key });
  change({
    putNetwork: (network) => put('networks', network.id, network),
    deleteNetwork: (id) => remove('networks', id),
    putAddress: (address) => put('addresses', addressKey(address), address),
    deleteAddress: (address) => remove('addresses', addressKey(address)),
    putIdentity: (identity) => put('identities', String(identity.number), identity),
    deleteIdentity: (number) => remove('identities', String(number)),
    putPolicy: (document) => put('policies', policyKey(document), document),
    deletePolicy: (key) => remove('policies', key),
    putNamespace: (name, labels) =>
      labels === undefined ? remove('namespaces', name) : put('namespaces', name, { labels }),
  });
  return writes;
}
