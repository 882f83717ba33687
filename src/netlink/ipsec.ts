import { KernelError } from '../loader/kernel-error.ts';
import { MessageWriter } from './message-writer.ts';
import type { Netns } from './netns.ts';
import { NetlinkSocket } from './socket.ts';

/** XFRM_MSG_GETSPDINFO of linux/xfrm.h. */
const getPolicyCounts = 0x25;
/** XFRMA_SPD_INFO: counts of policies for what comes in, goes out, is forwarded; then those of sockets. */
const countsAttribute = 1;

/**
 * Whether the host wants some packets encrypted, or refused, on their way in or out: `ip xfrm policy`.
 *
 * @param ns default: the calling thread's
 */
export function hasIpsecPolicies(ns?: Netns): boolean {
  const request = {
    type: getPolicyCounts,
    flags: 0,
    payload: new MessageWriter(4).u32(0).finish(),
    operation: 'count',
    object: 'IPsec policies',
  };
  let found = false;
  try {
    using socket = NetlinkSocket.openXfrm(ns);
    socket.request(request, (payload) => {
      const counts = payload.attributes(4).get(countsAttribute);
      found = counts !== undefined && counts.u32(0) + counts.u32(4) > 0;
    });
  } catch (error) {
    // A kernel that has no IPsec has no policies of it.
    if (!KernelError.is(error, 'EPROTONOSUPPORT')) throw error;
  }
  return found;
}
