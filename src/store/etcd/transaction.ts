import { VetchError } from '../../api/error.ts';
import type { ClusterWrite } from '../cluster-writes.ts';
import { type ConflictError, overtaken } from '../conflict.ts';
import type { EtcdClient } from './client.ts';
import { refusal } from './failure.ts';
import { guardKey } from './keys.ts';
import { type Compare, endOf, methods, type RequestOp, type TxnResponse } from './protocol.ts';
import type { Replica } from './replica.ts';

/** etcd's --max-txn-ops is 128, of comparisons and of writes; the guards need a few. */
export const maxWrites = 120;

/**
 * Carries out writes on condition that nobody has changed what they were made of since the follower was told of it.
 *
 * @param node for the guards' values
 * @throws ConflictError: then nothing has happened; VetchError UNAVAILABLE: it is unknown whether it has, and the watch will
 *   tell; INVALID
 */
export async function transact(
  client: EtcdClient,
  replica: Replica,
  prefix: string,
  node: string,
  writes: readonly ClusterWrite[],
): Promise<void> {
  const all = new Map(writes.map((write) => [`${write.kind}/${write.key}`, write]));
  const removed = [...all.values()].flatMap(({ kind, key, record }) => {
    return kind === 'networks' && !record ? [`addresses/${key}/`] : [];
  });
  // One operation removes all addresses of a network.
  const last = new Map([...all].filter(([key]) => !removed.some((range) => key.startsWith(range))));
  if (last.size > maxWrites) {
    throw new VetchError(
      'INVALID',
      `a change of ${last.size} records is more than the cluster's store takes at once`,
      `divide it: at most ${maxWrites} documents in one call`,
    );
  }
  const guards = new Set(writes.flatMap((write) => (write.record && guardKey(write.kind)) || []));
  const untold = firstUntold(replica, all.values(), guards);
  if (untold !== undefined) throw overtaken(untold);
  const texts = new Map<string, string | undefined>([...last].map(([key, { text }]) => [key, text]));
  for (const guard of guards) texts.set(guard, node);
  replica.expect(new Map([...[...all.keys()].map((key) => [key, undefined] as const), ...texts]));
  const full = (key: string) => Buffer.from(`${prefix}/${key}`);
  const request = {
    compare: conditions(replica, last, guards, full),
    success: [
      ...removed.map((range): RequestOp => {
        return { requestDeleteRange: { key: full(range), rangeEnd: endOf(`${prefix}/${range}`) } };
      }),
      ...[...texts].map(([key, text]): RequestOp => {
        if (text === undefined) return { requestDeleteRange: { key: full(key) } };
        return { requestPut: { key: full(key), value: Buffer.from(text) } };
      }),
    ],
    failure: [...last.keys()].map((key): RequestOp => ({ requestRange: { key: full(key) } })),
  };
  let response: TxnResponse;
  try {
    response = await client.call(methods.txn, request);
  } catch (error) {
    replica.failed();
    throw refusal(error);
  }
  const happened = response.succeeded || isDone([...last.values()], response);
  if (!happened) replica.failed();
  if (!happened) throw conflictOf(last);
  replica.wrote(response.succeeded ? Number(response.header.revision) : revisionOf(response));
}

function firstUntold(
  replica: Replica,
  writes: Iterable<ClusterWrite>,
  guards: ReadonlySet<string>,
): string | undefined {
  for (const { kind, key } of writes) if (replica.isUntold(`${kind}/${key}`)) return `${kind}/${key}`;
  for (const guard of guards) {
    const kind = guard.slice(guard.indexOf('/') + 1);
    if (replica.isKindUntold(kind)) return kind;
  }
  return undefined;
}

function conditions(
  replica: Replica,
  writes: ReadonlyMap<string, ClusterWrite>,
  guards: ReadonlySet<string>,
  full: (key: string) => Buffer,
): Compare[] {
  const unchanged = (key: string): Compare => {
    return { result: 'EQUAL', target: 'MOD', key: full(key), modRevision: replica.revisionOf(key) };
  };
  const networks = new Set<string>();
  const compares = [...writes.keys(), ...guards].map(unchanged);
  for (const { kind, key, record } of writes.values()) {
    if (kind === 'addresses' && record) networks.add(`networks/${record.network}`);
    if (kind === 'networks' && !record) {
      const start = full(`addresses/${key}/`);
      const range = { key: start, rangeEnd: endOf(start.toString()) };
      // Those that are known have been judged.
      compares.push({ result: 'LESS', target: 'MOD', ...range, modRevision: replica.position + 1 });
    }
  }
  for (const network of networks) if (!writes.has(network)) compares.push(unchanged(network));
  return compares;
}

/** Whether an attempt whose answer was lost has done it: everything is as it was to be. */
function isDone(writes: readonly ClusterWrite[], { responses }: TxnResponse): boolean {
  return writes.every(({ text }, index) => responses[index]?.responseRange?.kvs[0]?.value.toString() === text);
}

/** When that was, or before: what is newer the watch will tell. Of deletions nothing says it. */
function revisionOf({ header, responses }: TxnResponse): number {
  const revisions = responses.flatMap(({ responseRange }) => responseRange?.kvs[0]?.modRevision ?? []);
  return Math.min(Number(header.revision), ...revisions.map(Number));
}

function conflictOf(writes: ReadonlyMap<string, ClusterWrite>): ConflictError {
  const [first = 'a record'] = writes.keys();
  return overtaken(writes.size > 1 ? `${first} or one of ${writes.size - 1} other records` : first);
}
