import type { Netlink } from '../netlink/netlink.ts';
import type { HostRoute } from '../network/overlap.ts';

/** Routes of the host that are not to our networks. @param ours index of the host device; 0: there is none */
export function foreignRoutes(netlink: Netlink, ours: number): HostRoute[] {
  return netlink
    .routes()
    .filter(({ ifindex, type }) => ifindex !== ours && type !== 'multicast' && type !== 'local')
    .map(({ destination, ifindex }) => {
      if (ifindex === undefined) return { destination };
      return { destination, device: netlink.link(ifindex)?.name ?? String(ifindex) };
    });
}
