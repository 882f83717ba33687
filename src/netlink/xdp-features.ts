import { familyNumber, genericHeaderSize, genericMessage } from './generic.ts';
import { Flag } from './message.ts';
import type { Netns } from './netns.ts';
import { NetlinkSocket } from './socket.ts';

/** NETDEV_CMD_DEV_GET of linux/netdev.h. */
const getDevice = 1;
const DeviceAttribute = { IFINDEX: 1, XDP_FEATURES: 3 } as const;
/** NETDEV_XDP_ACT_NDO_XMIT: the driver sends what an XDP program redirects into the device. */
const transmits = 4;

/**
 * Ifindexes of the devices into which XDP programs may redirect: others lose what is sent so, without a word. Of a veth this
 * depends on its peer. A kernel before 6.3 does not say, and none is taken to.
 *
 * @param ns default: the calling thread's
 */
export function xdpTransmitters(ns?: Netns): ReadonlySet<number> {
  using socket = NetlinkSocket.openGeneric(ns);
  const family = familyNumber(socket, 'netdev');
  if (family === undefined) return new Set();
  const request = {
    type: family,
    flags: Flag.DUMP,
    payload: genericMessage(getDevice).finish(),
    operation: 'list',
    object: 'what devices do for XDP',
  };
  const found = socket.dump(request, (payload) => {
    const attributes = payload.attributes(genericHeaderSize);
    const features = attributes.get(DeviceAttribute.XDP_FEATURES)?.u64() ?? 0;
    return features & transmits ? (attributes.get(DeviceAttribute.IFINDEX)?.u32() ?? 0) : undefined;
  });
  return new Set(found);
}
