import { VetchError } from '../../api/error.ts';
import type { DenyView } from '../../api/schemas/deny.ts';
import type { PrefixKey } from '../../maps/generated/abi.ts';
import { canonicalPrefix, formatPrefix, parsePrefix } from '../../model/address.ts';
import { type Context, undoStack } from '../context.ts';

/** All or none; one that was there before keeps its count. @throws VetchError INVALID, MAP_FULL */
export function addDeny(context: Context, cidrs: readonly string[]): Promise<DenyView[]> {
  const { host, lock, log, state, store } = context;
  return lock.run(async () => {
    const all = canonical(cidrs);
    const added = all.filter((cidr) => !state.index.deny.has(cidr));
    await using undo = undoStack(context);
    host.addDeny(added);
    undo.push('remove prefixes from the deny list', () => host.removeDeny(added));
    await store.putDeny(added);
    state.index.addDeny(added);
    undo.commit();
    host.attachPrograms(state.index);
    log.info({ added: added.length, prefixes: state.index.deny.size }, 'deny list grew');
    return views(context, all);
  });
}

/** All or none. Gives the entries as they were. @throws VetchError INVALID; NOT_FOUND: one is not on the list */
export function removeDeny(context: Context, cidrs: readonly string[]): Promise<DenyView[]> {
  const { host, lock, log, state, store } = context;
  return lock.run(async () => {
    const removed = canonical(cidrs);
    const missing = removed.find((cidr) => !state.index.deny.has(cidr));
    if (missing !== undefined) {
      throw new VetchError('NOT_FOUND', `${missing} is not on the deny list`, '`vetch deny ls` lists what is on it');
    }
    const entries = views(context, removed);
    await store.deleteDeny(removed);
    state.index.deleteDeny(removed);
    host.attachPrograms(state.index);
    host.removeDeny(removed);
    log.info({ removed: removed.length, prefixes: state.index.deny.size }, 'deny list shrank');
    return entries;
  });
}

/** Read while they are sent: the list may hold a hundred thousand. */
export function* listDeny({ host }: Context): Generator<DenyView> {
  for (const [key, { packets }] of host.maps.denyList.entries()) yield { cidr: text(key), packets: Number(packets) };
}

function views({ host }: Context, cidrs: readonly string[]): DenyView[] {
  return cidrs.map((cidr) => {
    const { address, prefixLength } = parsePrefix(cidr);
    // The list has the very prefix, so the longest that holds it is itself.
    const found = host.maps.denyList.get({ prefixlen: prefixLength, addr: address });
    return { cidr, packets: Number(found?.packets ?? 0n) };
  });
}

/** Without repetitions; an address stands for the prefix of its full length. */
function canonical(cidrs: readonly string[]): string[] {
  return [...new Set(cidrs.map((cidr) => canonicalPrefix(withLength(cidr))))];
}

function withLength(cidr: string): string {
  if (cidr.includes('/')) return cidr;
  return `${cidr}/${cidr.includes(':') ? 128 : 32}`;
}

function text({ addr, prefixlen }: PrefixKey): string {
  return formatPrefix({ address: addr, prefixLength: prefixlen });
}
