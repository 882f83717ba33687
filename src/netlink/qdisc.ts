import { defined } from './defined.ts';
import { describeLink } from './link-requests.ts';
import { Flag, type Request, Rtm } from './message.ts';
import type { Payload } from './payload.ts';
import { TcAttribute, TcHandle, tcHeaderSize, tcmsg } from './traffic-control.ts';

/** A queueing discipline; of `clsact`, which queues nothing, where programs hang on a device. */
export interface Qdisc {
  readonly ifindex: number;
  /** `clsact`, `noqueue`, `fq_codel` ... */
  readonly kind: string;
  readonly handle: number;
  readonly parent: number;
  /** Number of the block whose filters see what the device receives; absent: the device's own. */
  readonly ingressBlock?: number;
  /** Likewise for what it sends. */
  readonly egressBlock?: number;
}

/** Numbers of blocks, 1 or more; the first device to name one makes it, the last to go takes it and its filters. */
export interface ClsactBlocks {
  readonly ingressBlock?: number;
  readonly egressBlock?: number;
}

export function addClsact(ifindex: number, { ingressBlock, egressBlock }: ClsactBlocks = {}): Request {
  const writer = tcmsg(ifindex, TcHandle.CLSACT, TcHandle.CLSACT_PARENT).attributeText(TcAttribute.KIND, 'clsact');
  if (ingressBlock !== undefined) writer.attributeU32(TcAttribute.INGRESS_BLOCK, ingressBlock);
  if (egressBlock !== undefined) writer.attributeU32(TcAttribute.EGRESS_BLOCK, egressBlock);
  return {
    type: Rtm.NEWQDISC,
    flags: Flag.CREATE | Flag.EXCL,
    payload: writer.finish(),
    operation: 'add clsact to',
    object: describeLink(ifindex),
  };
}

/** `TCA_FQ_*` of linux/pkt_sched.h. */
const FqAttribute = { PLIMIT: 1, FLOW_PLIMIT: 2 } as const;

/** Packets that may wait. */
export interface FqLimits {
  readonly all: number;
  readonly ofFlow: number;
}

/** Has a device send by `fq`, which holds packets until their departure times; in the place of what it sends by now. */
export function replaceByFq(ifindex: number, { all, ofFlow }: FqLimits): Request {
  const writer = tcmsg(ifindex, 0, TcHandle.ROOT)
    .attributeText(TcAttribute.KIND, 'fq')
    .nested(TcAttribute.OPTIONS, (options) => {
      options.attributeU32(FqAttribute.PLIMIT, all).attributeU32(FqAttribute.FLOW_PLIMIT, ofFlow);
    });
  return {
    type: Rtm.NEWQDISC,
    flags: Flag.CREATE | Flag.REPLACE,
    payload: writer.finish(),
    operation: 'add fq to',
    object: describeLink(ifindex),
  };
}

/** With all of the device's own filters. */
export function deleteClsact(ifindex: number): Request {
  const writer = tcmsg(ifindex, TcHandle.CLSACT, TcHandle.CLSACT_PARENT).attributeText(TcAttribute.KIND, 'clsact');
  const object = describeLink(ifindex);
  return { type: Rtm.DELQDISC, flags: 0, payload: writer.finish(), operation: 'delete clsact of', object };
}

/** Asks for the qdisc that is at clsact's place, which may be `ingress`, its elder half. */
export function getClsact(ifindex: number): Request {
  const payload = tcmsg(ifindex, 0, TcHandle.CLSACT_PARENT).finish();
  // The answer goes to those who listen for events; with ECHO to who asked as well.
  return { type: Rtm.GETQDISC, flags: Flag.ECHO, payload, operation: 'read clsact of', object: describeLink(ifindex) };
}

export function listQdiscs(): Request {
  const payload = tcmsg(0, 0, 0).finish();
  return { type: Rtm.GETQDISC, flags: 0, payload, operation: 'list', object: 'the qdiscs' };
}

/** Reads RTM_NEWQDISC or RTM_DELQDISC. */
export function decodeQdisc(payload: Payload): Qdisc {
  const attributes = payload.attributes(tcHeaderSize);
  return defined({
    ifindex: payload.s32(4),
    kind: attributes.text(TcAttribute.KIND) ?? '',
    handle: payload.u32(8),
    parent: payload.u32(12),
    ingressBlock: attributes.u32(TcAttribute.INGRESS_BLOCK),
    egressBlock: attributes.u32(TcAttribute.EGRESS_BLOCK),
  });
}
