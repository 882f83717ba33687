import type { Network } from '../../model/network.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import type { HostLink } from '../facts.ts';

/** The devices that a network trusts and the host has. @param links by name */
export function trustedEntries(network: Network, links: ReadonlyMap<string, Pick<HostLink, 'ifindex'>>): MapEntry[] {
  return planOf(network).trustedInterfaces.flatMap((name) => {
    const ifindex = links.get(name)?.ifindex;
    return ifindex === undefined ? [] : [entryOf('trusted', { network: network.number, ifindex }, 1)];
  });
}
