import type { ClusterRecords } from '../../model/cluster.ts';
import type { SharedKind } from '../cluster-writes.ts';
import { decodeRecord } from '../codec.ts';
import type { RecordKind } from '../records.ts';

/**
 * Keys below a cluster's prefix:
 *
 *     networks/ID  addresses/NETWORK/ADDRESS  identities/NUMBER  policies/KIND/NAMESPACE/NAME  namespaces/NAME
 *     guards/KIND      written with every put of a kind whose records exclude each other
 *     nodes/NODE  endpoints/NODE/ID    what a host tells of itself; on its lease
 *     locks/NODE       which process speaks for a host; on its lease
 *     sync/NODE        written by a host that wants to know how far its watch is
 *     schema           of the newest version that the cluster has seen
 */
export const schemaKey = 'schema';

/** What each kind of a cluster's records is decoded as. */
const recordKinds: Readonly<Record<keyof ClusterRecords, RecordKind>> = {
  networks: 'networks',
  addresses: 'addresses',
  identities: 'identities',
  policies: 'policies',
  namespaces: 'namespaces',
  nodes: 'nodes',
  endpoints: 'cluster-endpoints',
};

export function guardKey(kind: SharedKind): string | undefined {
  return kind === 'networks' || kind === 'identities' || kind === 'policies' ? `guards/${kind}` : undefined;
}

/** The kind of a key, and the record's own key; undefined: it is no record of the cluster's. */
export function splitKey(key: string): { readonly kind: keyof ClusterRecords; readonly key: string } | undefined {
  const slash = key.indexOf('/');
  const kind = key.slice(0, slash);
  return slash > 0 && Object.hasOwn(recordKinds, kind)
    ? { kind: kind as keyof ClusterRecords, key: key.slice(slash + 1) }
    : undefined;
}

/** A record as the cluster's view has it. @throws VetchError UNSUPPORTED, INTERNAL, as `decodeRecord` */
export function decodeShared(kind: keyof ClusterRecords, key: string, text: string): unknown {
  return kind === 'namespaces' ? decodeRecord(kind, key, text).labels : decodeRecord(recordKinds[kind], key, text);
}

/** Says whether a key is what a host tells of itself. */
export function ownKeys(node: string): (key: string) => boolean {
  const [own, endpoints] = [`nodes/${node}`, `endpoints/${node}/`];
  return (key) => key === own || key.startsWith(endpoints);
}
