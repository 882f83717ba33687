import type { EtcdClient } from './client.ts';
import { AwayError, isCompacted } from './failure.ts';
import { endOf, methods, type RangeResponse } from './protocol.ts';
import type { Keyed } from './replica.ts';

/**
 * Keys of the first answer: with etcd's largest values it is still one that arrives within a call's deadline. Those of the
 * others follow from how large the keys are: before 3.5 etcd goes through all that are left for each answer.
 */
const firstPage = 1_000;
const largestPage = 20_000;
const pageBytes = 4e6;

export interface Snapshot {
  /** By key below the prefix. */
  readonly keys: ReadonlyMap<string, Keyed>;
  readonly revision: number;
  readonly clusterId: string;
}

/**
 * All keys below the prefix as they were at one revision, the newest when it began: page by page, so that no answer is
 * larger than etcd sends. When that revision is compacted away meanwhile, it begins again.
 *
 * @throws VetchError UNAVAILABLE; CallFailure
 */
export async function readSnapshot(client: EtcdClient, prefix: string, milliseconds?: number): Promise<Snapshot> {
  for (;;) {
    try {
      return await readPages(client, `${prefix}/`, milliseconds);
    } catch (error) {
      if (!isCompacted(error)) throw error;
    }
  }
}

async function readPages(client: EtcdClient, start: string, milliseconds: number | undefined): Promise<Snapshot> {
  const keys = new Map<string, Keyed>();
  const rangeEnd = endOf(start);
  let key = Buffer.from(start);
  let revision = 0;
  let limit = firstPage;
  for (;;) {
    const request = { key, rangeEnd, limit, ...(revision === 0 ? {} : { revision }) };
    let answer: RangeResponse;
    try {
      // What follows may be larger than what came.
      answer = await client.call(methods.range, request, limit > firstPage ? client.times.attempt : milliseconds);
    } catch (error) {
      if (limit <= firstPage || !(error instanceof AwayError)) throw error;
      limit = firstPage;
      continue;
    }
    const { header, kvs, more } = answer;
    // Without a revision the answer waits for the leader: it is not older than any write that was acknowledged.
    if (revision === 0) revision = Number(header.revision);
    let bytes = 0;
    for (const kv of kvs) {
      bytes += kv.key.length + kv.value.length;
      const relative = kv.key.toString().slice(start.length);
      keys.set(relative, { text: kv.value.toString(), revision: Number(kv.modRevision) });
    }
    const last = kvs.at(-1);
    if (!more || !last) return { keys, revision, clusterId: header.clusterId };
    key = Buffer.concat([last.key, Buffer.of(0)]);
    limit = Math.max(1, Math.min(largestPage, 4 * limit, Math.floor((pageBytes * kvs.length) / bytes)));
  }
}
