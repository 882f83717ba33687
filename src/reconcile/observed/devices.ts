import type { Netlink } from '../../netlink/netlink.ts';
import { RouteProtocol } from '../../netlink/route.ts';
import { sharedBlock } from '../desired/devices.ts';
import type { HostDeviceState } from '../plan/devices.ts';

/** Of ours among the filters of a block or a device; the numbers that we give are all the same. */
export const ourFilter = { handle: sharedBlock, priority: 1 } as const;

/** The ingress block of each device that has clsact; 0: it has clsact and no block. */
export function observeBlocks(netlink: Netlink): Map<number, number> {
  const clsact = netlink.qdiscs().filter(({ kind }) => kind === 'clsact');
  return new Map(clsact.map(({ ifindex, ingressBlock = 0 }) => [ifindex, ingressBlock]));
}

/** Id of the program that the shared block runs; undefined: none of ours. */
export function observeBlockProgram(netlink: Netlink): number | undefined {
  const filters = netlink.filters({ block: sharedBlock });
  return filters.find(({ handle, priority }) => handle === ourFilter.handle && priority === ourFilter.priority)
    ?.programId;
}

export function observeHostDevice(netlink: Netlink, ifindex: number): HostDeviceState {
  const addresses = netlink.addresses({ ifindex }).filter(({ address }) => address[0] !== 0xfe);
  const routes = netlink.routes({ ifindex }).filter(({ protocol, type }) => {
    return protocol !== RouteProtocol.KERNEL && type === 'unicast';
  });
  return {
    addresses: addresses.map(({ cidr }) => cidr),
    routes: routes.map(({ destination, source }) => ({ destination, ...(source === undefined ? {} : { source }) })),
  };
}
