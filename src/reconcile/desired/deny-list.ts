import { parsePrefix } from '../../model/address.ts';
import { entryOf, type MapEntry } from '../entry.ts';

/** One prefix of the deny list. The value is the datapath's to count in: written once, never compared. */
export function denyEntry(cidr: string): MapEntry {
  const { address, prefixLength } = parsePrefix(cidr);
  return entryOf('denyList', { prefixlen: prefixLength, addr: address }, { packets: 0n, bytes: 0n });
}
