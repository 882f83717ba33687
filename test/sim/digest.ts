import { createHash } from 'node:crypto';
import { u32Codec } from '../../src/maps/codec.ts';
import {
  configCodec,
  EndpointFlag,
  endpointCodec,
  endpointKeyCodec,
  nodeCodec,
  standingCodec,
} from '../../src/maps/generated/abi.ts';
import { formatAddress, formatMac } from '../../src/model/address.ts';
import type { MemoryHost } from './memory-host.ts';

/** An endpoint, as any host's maps have it. */
export interface Line {
  /** Number of the network, and the address. */
  readonly key: string;
  readonly mac: string;
  /** Where the tunnel to its host ends. */
  readonly tunnel: string;
  /** Who it is to policy: equal for those that policy does not tell apart. */
  readonly party: string;
}

/** Of what a host has to know of all endpoints; parties are numbered in the order in which they come. */
export function digestOf(lines: readonly Line[]): string {
  const parties = new Map<string, number>();
  const hash = createHash('sha256');
  for (const { key, mac, tunnel, party } of [...lines].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if (!parties.has(party)) parties.set(party, parties.size);
    hash.update(`${key} ${mac} ${tunnel} ${parties.get(party)}\n`);
  }
  return `${lines.length} endpoints of ${parties.size} parties: ${hash.digest('hex')}`;
}

/** Read back from the maps alone. */
export function* linesOf({ maps, tunnel: own = '' }: Pick<MemoryHost, 'maps' | 'tunnel'>): Generator<Line> {
  const nodes = new Map<number, string>();
  for (const [key, value] of maps.nodes.raw.entries()) {
    nodes.set(u32Codec.decode(key), formatAddress(nodeCodec.decode(value).addr));
  }
  const standing = new Uint8Array(maps.identities.raw.valueSize);
  const [config] = [...maps.config.raw.entries()].map(([, value]) => configCodec.decode(value));
  const half = ((config?.generation ?? 0) & 1) * standingCodec.size;
  for (const [key, value] of maps.endpoints.raw.entries()) {
    const { network, addr } = endpointKeyCodec.decode(key);
    const { number, ifindex, mac, flags } = endpointCodec.decode(value);
    const isRemote = (flags & EndpointFlag.REMOTE) !== 0;
    // In network 0 are those that the host itself reaches.
    if (network === 0) continue;
    maps.identities.raw.lookup(new Uint8Array(Uint32Array.of(2 * number).buffer), standing);
    const { identity } = standingCodec.decode(standing.subarray(half, half + standingCodec.size));
    const tunnel = isRemote ? (nodes.get(ifindex) ?? 'nowhere') : own;
    yield { key: `${network} ${formatAddress(addr)}`, mac: formatMac(mac), tunnel, party: String(identity) };
  }
}
