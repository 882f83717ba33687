import { formatAddress, isIPv4 } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { isEncrypted } from '../../network/drivers/encryption.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { overVxlan, overWireguard, wireguardMtu } from '../../network/mtu.ts';
import type { HostFacts } from '../facts.ts';
import { uplinksOf } from './uplinks.ts';

/** Where this host takes in what other hosts tunnel to it. */
export interface Tunnel {
  /** 16 bytes, v4-mapped. */
  readonly address: Uint8Array;
  /** Bytes that a frame's contents may have to go through in one piece. */
  readonly mtu: number;
  /** Likewise, of networks that are encrypted. */
  readonly encryptedMtu: number;
  /** Bytes that a packet which is to be encrypted may have. */
  readonly wireguardMtu: number;
}

/**
 * An IPv4 address where there is one, else of IPv6; of the uplink with the default route before all others, in the order
 * in which the kernel has them. All hosts of a cluster have to use one family.
 */
export function tunnelOf(facts: HostFacts): Tunnel | undefined {
  const uplinks = [...uplinksOf(facts)].sort((a, b) => rank(a.ifindex) - rank(b.ifindex));
  function rank(ifindex: number): number {
    return facts.defaultRoutes.includes(ifindex) ? 0 : 1;
  }
  for (const v4 of [true, false]) {
    for (const { ifindex, mtu } of uplinks) {
      const own = facts.addresses.find((one) => {
        return one.ifindex === ifindex && one.global && !one.secondary && isIPv4(one.address) === v4;
      });
      if (own) return { address: own.address, ...sizesOver(mtu, v4 ? 4 : 6) };
    }
  }
  return undefined;
}

function sizesOver(mtu: number, family: 4 | 6): Omit<Tunnel, 'address'> {
  return {
    mtu: overVxlan(mtu, family),
    encryptedMtu: overWireguard(mtu, family),
    wireguardMtu: wireguardMtu(mtu, family),
  };
}

/** What this host tells others of its tunnel: the address, canonical. */
export function tunnelAddress(facts: HostFacts): string | undefined {
  const tunnel = tunnelOf(facts);
  return tunnel && formatAddress(tunnel.address);
}

/** The addresses that this host tells others of, canonical: those by which clients reach it. */
export function toldAddresses(facts: HostFacts): string[] {
  const uplinks = new Set(uplinksOf(facts).map(({ ifindex }) => ifindex));
  const usable = facts.addresses.filter(({ ifindex, global }) => global && uplinks.has(ifindex));
  return [...new Set(usable.map(({ address }) => formatAddress(address)))].sort();
}

/** Whether some network needs the way to other hosts. */
export function needsTunnel(networks: Iterable<Network>): boolean {
  for (const network of networks) if (spansHosts(network)) return true;
  return false;
}

/** Whether some network needs WireGuard for it. */
export function needsEncryption(networks: Iterable<Network>): boolean {
  for (const network of networks) if (isEncrypted(network)) return true;
  return false;
}
