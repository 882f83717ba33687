import { KernelError } from '../loader/kernel-error.ts';
import { familyNumber, genericHeaderSize, genericMessage } from './generic.ts';
import type { Netns } from './netns.ts';
import { NetlinkSocket } from './socket.ts';

/** NETDEV_CMD_DEV_GET of linux/netdev.h. */
const getDevice = 1;
const DeviceAttribute = { IFINDEX: 1, XDP_FEATURES: 3 } as const;
/** NETDEV_XDP_ACT_NDO_XMIT: the driver sends what an XDP program redirects into the device. */
const transmits = 4;

/**
 * Of some devices those into which XDP programs may redirect: others lose what is sent so, without a word. Of a veth this
 * depends on its peer. A kernel before 6.3 does not say, and none is taken to.
 *
 * @param ns default: the calling thread's
 */
export function xdpTransmitters(ifindexes: readonly number[], ns?: Netns): ReadonlySet<number> {
  const found = new Set<number>();
  if (ifindexes.length === 0) return found;
  using socket = NetlinkSocket.openGeneric(ns);
  const family = familyNumber(socket, 'netdev');
  if (family === undefined) return found;
  const requests = ifindexes.map((ifindex) => ({
    type: family,
    flags: 0,
    payload: genericMessage(getDevice).attributeU32(DeviceAttribute.IFINDEX, ifindex).finish(),
    operation: 'read',
    object: `what the device with index ${ifindex} does for XDP`,
  }));
  const errors = socket.exchange(requests, (payload) => {
    const attributes = payload.attributes(genericHeaderSize);
    const features = attributes.get(DeviceAttribute.XDP_FEATURES)?.u64() ?? 0;
    const ifindex = attributes.get(DeviceAttribute.IFINDEX)?.u32();
    if (ifindex !== undefined && features & transmits) found.add(ifindex);
  });
  // A device may go while it is asked about.
  for (const error of errors) if (error && !KernelError.is(error, 'ENODEV')) throw error;
  return found;
}
