import { BadValue } from './options.ts';

/** What every IPv4 host takes whole (RFC 791), and what every IPv6 link carries (RFC 8200). */
export const smallestMtu = { 4: 576, 6: 1280 } as const;
export const largestMtu = 65535;

/** What an Ethernet frame may hold that travels in VXLAN: 14 bytes of its header, 16 of VXLAN and UDP, 20 or 40 of IP. */
export function overVxlan(mtu: number, family: 4 | 6): number {
  return mtu - (family === 4 ? 50 : 70);
}

/** What WireGuard fills packets up to a multiple of, so that their length says less. */
const block = 16;

/**
 * Likewise, of a network that is encrypted: VXLAN over IPv6 travels in WireGuard there, 32 bytes and its UDP and IP.
 *
 * @param family of the hosts' own packets
 */
export function overWireguard(mtu: number, family: 4 | 6): number {
  return overVxlan(wireguardMtu(mtu, family), 6);
}

/** The largest packet that WireGuard sends in one of the hosts' own. */
export function wireguardMtu(mtu: number, family: 4 | 6): number {
  const room = mtu - (family === 4 ? 60 : 80);
  return room - (room % block);
}

/** An option's value; whether IPv6 fits in is judged when the subnets are known. @throws BadValue */
export function parseMtu(value: string): number {
  const mtu = /^[0-9]{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (mtu >= smallestMtu[4] && mtu <= largestMtu) return mtu;
  throw new BadValue(`use a whole number of bytes, ${smallestMtu[4]} to ${largestMtu}`);
}
