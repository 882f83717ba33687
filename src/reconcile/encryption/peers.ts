import { formatAddress, parseAddress } from '../../model/address.ts';
import { innerAddress, type PublishedKey } from '../../model/wireguard.ts';
import { endpointText, type ObservedPeer, type WireguardChange, type WireguardPeer } from '../../netlink/wireguard.ts';

/**
 * Seconds between signs of life to every host: a session is there before the first packet needs it, stays there, and whoever
 * is not heard is known to be gone.
 */
export const keepalive = 25;

interface Keyed {
  readonly tunnel: string;
  readonly wireguard: readonly PublishedKey[];
}

/** Every key of every other host, by the public key. @param own public keys of this host, which are nobody else's */
export function wantedPeers(nodes: Iterable<Keyed>, own: ReadonlySet<string>): Map<string, WireguardPeer> {
  const peers = new Map<string, WireguardPeer>();
  for (const { tunnel, wireguard } of nodes) {
    for (const { publicKey, port } of wireguard) {
      if (own.has(publicKey)) continue;
      const endpoint = { address: parseAddress(tunnel), port };
      peers.set(publicKey, { publicKey, endpoint, allowed: innerAddress(publicKey), keepalive });
    }
  }
  return peers;
}

export interface PeerPlan {
  readonly changes: NonNullable<WireguardChange['peers']>;
  /** How many of them undo what somebody else has done. */
  readonly repairs: number;
}

/**
 * What makes a device's peers what they should be. Where a peer is heard from elsewhere than it was said to be is WireGuard's
 * own business: that is no difference.
 *
 * @param told where this device was told that each peer is, by its public key; brought up to date
 */
export function planPeers(
  wanted: ReadonlyMap<string, WireguardPeer>,
  observed: ReadonlyMap<string, ObservedPeer>,
  told: Map<string, string>,
): PeerPlan {
  const changes: NonNullable<WireguardChange['peers']>[number][] = [];
  let repairs = 0;
  for (const publicKey of observed.keys()) {
    if (wanted.has(publicKey)) continue;
    changes.push({ publicKey, remove: true });
    if (told.size > 0 && !told.has(publicKey)) repairs++;
  }
  for (const publicKey of told.keys()) if (!wanted.has(publicKey)) told.delete(publicKey);
  for (const [publicKey, peer] of wanted) {
    const before = observed.get(publicKey);
    const endpoint = endpointText(peer.endpoint.address, peer.endpoint.port);
    const whole = before !== undefined && isWhole(before, peer);
    if (whole && (told.get(publicKey) ?? before.endpoint) === endpoint) {
      told.set(publicKey, endpoint);
      continue;
    }
    changes.push(peer);
    if (!whole && told.get(publicKey) === endpoint) repairs++;
    told.set(publicKey, endpoint);
  }
  return { changes, repairs };
}

function isWhole(observed: ObservedPeer, wanted: WireguardPeer): boolean {
  const [only, ...more] = observed.allowed;
  if (more.length > 0 || only !== `${formatAddress(wanted.allowed)}/128`) return false;
  return observed.keepalive === wanted.keepalive;
}
