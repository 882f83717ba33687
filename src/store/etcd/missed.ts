import type { EtcdClient } from './client.ts';
import { isCompacted, isInFuture } from './failure.ts';
import { guards } from './keys.ts';
import { endOf, methods } from './protocol.ts';
import type { KeyEvent } from './replica.ts';
import { PlaceLost, watch } from './watch.ts';

/** How far a host has come that was away. */
export interface Place {
  readonly clusterId: string;
  readonly position: number;
}

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
  { clusterId, position: from }: Place,
): Promise<Missed | undefined> {
  const known = await guardsAt(client, prefix, from);
  if (known?.clusterId !== clusterId) return undefined;
  // Whatever came before this is told before it.
  const put = { key: Buffer.from(`${prefix}/sync/${node}`), value: Buffer.from(new Date().toISOString()) };
  const { header } = await client.call(methods.txn, { compare: [], success: [{ requestPut: put }], failure: [] });
  const now = Number(header.revision);
  if (now <= from) return undefined;
  const events = [...known.events];
  const enough = new AbortController();
  let position = from;
  try {
    await watch(client, {
      prefix,
      from: from + 1,
      onStart: () => undefined,
      onChanges: (more, arrived) => {
        events.push(...more);
        position = arrived;
        if (position >= now || events.length > most) enough.abort();
      },
      signal: enough.signal,
    });
  } catch (error) {
    if (error instanceof PlaceLost) return undefined;
    if (!enough.signal.aborted) throw error;
  }
  return position >= now ? { events, position } : undefined;
}

/** The guards as they were, which a host does not put aside. @returns undefined: etcd does not know any more */
async function guardsAt(client: EtcdClient, prefix: string, revision: number) {
  const start = `${prefix}/${guards}`;
  try {
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
