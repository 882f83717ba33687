import type { Endpoint } from '../../model/endpoint.ts';
import { entryOf, type MapEntry } from '../entry.ts';

const lowWord = 0xffff_ffffn;

/** Whose packets those of a cgroup's sockets are. @param id of the cgroup */
export function hostCgroupEntry({ number }: Pick<Endpoint, 'number'>, id: bigint): MapEntry {
  return entryOf('hostCgroups', id, { number, check: Number(id & lowWord) });
}
