import { u32Codec } from '../../maps/codec.ts';
import { EndpointFlag, endpointCodec, nodeCodec } from '../../maps/generated/abi.ts';
import { formatAddress } from '../../model/address.ts';
import { keyText, type RawEntry } from '../entry.ts';

/** Numbers that the kernel has for what is on other hosts. */
export interface RemoteSeeds {
  /** By the tunnel's address, canonical. */
  readonly nodes: ReadonlyMap<string, number>;
  /** By the text of a key of the map `endpoints`. */
  readonly remotes: ReadonlyMap<string, number>;
}

export const noSeeds: RemoteSeeds = { nodes: new Map(), remotes: new Map() };

/** @param nodes of the map `nodes`; @param endpoints of `endpoints` */
export function observedSeeds(nodes: Iterable<RawEntry>, endpoints: Iterable<RawEntry>): RemoteSeeds {
  const seeds = { nodes: new Map<string, number>(), remotes: new Map<string, number>() };
  for (const { key, value } of nodes) {
    const number = u32Codec.decode(key);
    const { addr } = nodeCodec.decode(value);
    if (number > 0 && addr.some((byte) => byte !== 0)) seeds.nodes.set(formatAddress(addr), number);
  }
  for (const { key, value } of endpoints) {
    const { flags, number } = endpointCodec.decode(value);
    if ((flags & EndpointFlag.REMOTE) !== 0) seeds.remotes.set(keyText(key), number);
  }
  return seeds;
}
