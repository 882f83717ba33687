import { VetchError } from '../../api/error.ts';
import type { CachedCluster } from '../cluster-cache.ts';
import type { EtcdClient } from './client.ts';
import { isCallFailure, isCompacted, isInFuture } from './failure.ts';
import { guards } from './keys.ts';
import { endOf, methods } from './protocol.ts';
import type { KeyEvent, Keyed } from './replica.ts';
import { PlaceLost, watch } from './watch.ts';

export interface Missed {
  readonly events: readonly KeyEvent[];
  /** They are all changes up to here. */
  readonly position: number;
}

/**
 * What has happened below the prefix since a host was there last, up to now: less than all that there is, for a host that
 * starts anew has been away for a moment.
 *
 * @param most events; with more a snapshot takes less
 * @returns undefined: only a snapshot tells
 * @throws VetchError UNAVAILABLE; CallFailure
 */
export async function readMissed(
  client: EtcdClient,
  { prefix, node, most }: { readonly prefix: string; readonly node: string; readonly most: number },
  { clusterId, position: from, keys }: Pick<CachedCluster, 'clusterId' | 'position' | 'keys'>,
): Promise<Missed | undefined> {
  const known = await recall(client, prefix, from, newest(keys, from));
  if (known?.clusterId !== clusterId) return undefined;
  // Whatever came before this is told before it.
  const put = { key: Buffer.from(`${prefix}/sync/${node}`), value: Buffer.from(new Date().toISOString()) };
  const { header } = await client.call(methods.txn, { compare: [], success: [{ requestPut: put }], failure: [] });
  const now = Number(header.revision);
  if (now <= from) return undefined;
  const events = [...known.events];
  const enough = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  // A member that has fallen behind is alive, but has nothing to tell.
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => enough.abort(), client.times.call);
  };
  let position = from;
  try {
    wait();
    await watch(client, {
      prefix,
      from: from + 1,
      onStart: wait,
      onChanges: (more, arrived) => {
        wait();
        events.push(...more);
        position = arrived;
        if (position >= now || events.length > most) enough.abort();
      },
      signal: enough.signal,
    });
  } catch (error) {
    // A watch is not tried again with another member; a snapshot is.
    if (!(error instanceof PlaceLost || error instanceof VetchError || isCallFailure(error))) throw error;
  } finally {
    clearTimeout(timer);
  }
  return position >= now ? { events, position } : undefined;
}

/** Of the keys that a host had at a revision the one that was written last. */
function newest(keys: ReadonlyMap<string, Keyed>, revision: number): readonly [string, Keyed] | undefined {
  let found: readonly [string, Keyed] | undefined;
  for (const entry of keys) {
    const at = entry[1].revision;
    if (at <= revision && at > (found?.[1].revision ?? 0)) found = entry;
  }
  return found;
}

/**
 * The guards as they were, which a host does not put aside.
 *
 * @param witness what was there then
 * @returns undefined: etcd does not know any more, or it was otherwise: an older copy was restored, and has gone on from there
 */
async function recall(
  client: EtcdClient,
  prefix: string,
  revision: number,
  witness: readonly [string, Keyed] | undefined,
) {
  const start = `${prefix}/${guards}`;
  try {
    if (witness) {
      const [key, { revision: written, text }] = witness;
      const { kvs } = await client.call(methods.range, { key: Buffer.from(`${prefix}/${key}`), revision });
      if (Number(kvs[0]?.modRevision) !== written || kvs[0]?.value.toString() !== text) return undefined;
    }
    const request = { key: Buffer.from(start), rangeEnd: endOf(start), revision };
    const { header, kvs } = await client.call(methods.range, request);
    const events = kvs.map(({ key, value, modRevision }): KeyEvent => {
      const relative = key.toString().slice(prefix.length + 1);
      return { key: relative, text: value.toString(), revision: Number(modRevision) };
    });
    return { clusterId: header.clusterId, events };
  } catch (error) {
    if (isCompacted(error) || isInFuture(error)) return undefined;
    throw error;
  }
}
