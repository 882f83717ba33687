import { VetchError } from '../api/error.ts';
import type { Network } from '../model/network.ts';
import { checkOverlap, type Neighbours } from './overlap.ts';

/** Why a host cannot have a network that others of its cluster have; undefined: it can. */
export function clashOf(
  network: Network,
  { networks, hostRoutes }: Neighbours & { readonly networks: Iterable<Network> },
): string | undefined {
  const others = [...networks].filter(({ id }) => id !== network.id);
  if (others.some(({ name }) => name === network.name)) return 'a network of this host has its name';
  const same = others.find(({ number }) => number === network.number);
  if (same) return `network ${same.name} of this host has its number ${network.number}`;
  try {
    for (const { cidr } of network.subnets) checkOverlap(cidr, { networks: others, hostRoutes });
    return undefined;
  } catch (error) {
    if (error instanceof VetchError) return error.message;
    throw error;
  }
}
