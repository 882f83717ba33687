import { MessageWriter } from './message-writer.ts';

/** What qdiscs and filters share. */

/** `TCA_*` of linux/rtnetlink.h. */
export const TcAttribute = { KIND: 1, OPTIONS: 2, INGRESS_BLOCK: 13, EGRESS_BLOCK: 14 } as const;

/** Of `struct tcmsg`. */
export const tcHeaderSize = 20;

/** Handles and parents; `TC_H_*` of linux/pkt_sched.h. */
export const TcHandle = {
  CLSACT: 0xffff0000,
  CLSACT_PARENT: 0xfffffff1,
  INGRESS: 0xfffffff2,
  EGRESS: 0xfffffff3,
  ROOT: 0xffffffff,
} as const;

/** In place of an ifindex: the parent is the number of a block that devices share. */
export const TCM_IFINDEX_MAGIC_BLOCK = 0xffffffff;

/** `struct tcmsg`; of a filter `info` is its priority and protocol. */
export function tcmsg(ifindex: number, handle: number, parent: number, info = 0): MessageWriter {
  return new MessageWriter(96)
    .u32(0)
    .u32(ifindex >>> 0)
    .u32(handle)
    .u32(parent)
    .u32(info);
}
