import { littleEndian } from '../loader/ffi/libc.ts';
import { defined } from './defined.ts';
import { describeLink } from './link-requests.ts';
import { Flag, type Request, Rtm } from './message.ts';
import type { Payload } from './payload.ts';
import { TCM_IFINDEX_MAGIC_BLOCK, TcAttribute, TcHandle, tcHeaderSize, tcmsg } from './traffic-control.ts';

const ETH_P_ALL = 3;
/** The program's return value is the verdict; nothing else is asked. */
const TCA_BPF_FLAG_ACT_DIRECT = 1;

/** `TCA_BPF_*` of linux/pkt_cls.h. */
const Attribute = { FD: 6, NAME: 7, FLAGS: 8, TAG: 10, ID: 11 } as const;

export type FilterParent = 'ingress' | 'egress';

/** Where filters hang: on one device's clsact, or on a block that devices share. */
export type FilterHook = { readonly ifindex: number; readonly parent: FilterParent } | { readonly block: number };

/** A program as a filter. Handle and priority are what it is replaced and deleted by. */
export type BpfFilterSpec = FilterHook & {
  /** Of a loaded `sched_cls` program; may be closed afterwards. */
  readonly fd: number;
  /** What `tc filter show` and `bpftool net` print: the program's name. */
  readonly name: string;
  /** Default: 1. */
  readonly handle?: number;
  /** 1 to 65535, lower runs first. Default: 1. */
  readonly priority?: number;
};

/** A filter that hangs somewhere. */
export interface Filter {
  /** Absent of a shared block. */
  readonly ifindex?: number;
  readonly block?: number;
  /** `bpf`, `flower`, `u32` ... */
  readonly kind: string;
  readonly handle: number;
  readonly priority: number;
  /** Of `bpf`: as it was given, not the program's own. */
  readonly name?: string;
  readonly programId?: number;
  /** Hex; the hash of the program's instructions. */
  readonly programTag?: string;
  readonly directAction: boolean;
}

/** Refuses where there is a filter with its handle and priority. */
export function addBpfFilter(filter: BpfFilterSpec): Request {
  return newFilter(filter, Flag.CREATE | Flag.EXCL, 'add filter');
}

/** In place, so that every packet meets the old program or the new one; added where there is none. */
export function replaceBpfFilter(filter: BpfFilterSpec): Request {
  return newFilter(filter, Flag.CREATE | Flag.REPLACE, 'replace filter');
}

export function deleteBpfFilter(
  filter: FilterHook & { readonly handle?: number; readonly priority?: number },
): Request {
  const payload = header(filter, filter.handle ?? 1, filter.priority ?? 1)
    .attributeText(TcAttribute.KIND, 'bpf')
    .finish();
  return { type: Rtm.DELTFILTER, flags: 0, payload, operation: 'delete filter', object: `of ${describeHook(filter)}` };
}

/** A device without clsact has none. */
export function listFilters(hook: FilterHook): Request {
  const payload = header(hook, 0, 0, 0).finish();
  return { type: Rtm.GETTFILTER, flags: 0, payload, operation: 'list', object: `the filters of ${describeHook(hook)}` };
}

/** Reads RTM_NEWTFILTER or RTM_DELTFILTER; undefined of the entry that only announces filters of one priority. */
export function decodeFilter(payload: Payload): Filter | undefined {
  const handle = payload.u32(8);
  const attributes = payload.attributes(tcHeaderSize);
  const options = attributes.nested(TcAttribute.OPTIONS);
  if (handle === 0 || !options) return undefined;
  const isBlock = payload.u32(4) === TCM_IFINDEX_MAGIC_BLOCK;
  const kind = attributes.text(TcAttribute.KIND) ?? '';
  const bpf = kind === 'bpf' ? options : undefined;
  const tag = bpf?.bytes(Attribute.TAG);
  return defined({
    ifindex: isBlock ? undefined : payload.s32(4),
    block: isBlock ? payload.u32(12) : undefined,
    kind,
    handle,
    priority: payload.u32(16) >>> 16,
    name: bpf?.text(Attribute.NAME),
    programId: bpf?.u32(Attribute.ID),
    programTag: tag && Buffer.from(tag).toString('hex'),
    directAction: ((bpf?.u32(Attribute.FLAGS) ?? 0) & TCA_BPF_FLAG_ACT_DIRECT) !== 0,
  });
}

function newFilter(filter: BpfFilterSpec, flags: number, operation: string): Request {
  const { fd, name, handle = 1, priority = 1 } = filter;
  const writer = header(filter, handle, priority).attributeText(TcAttribute.KIND, 'bpf');
  writer.nested(TcAttribute.OPTIONS, (options) => {
    options.attributeU32(Attribute.FD, fd);
    options.attributeText(Attribute.NAME, name);
    options.attributeU32(Attribute.FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
  });
  return {
    type: Rtm.NEWTFILTER,
    flags,
    payload: writer.finish(),
    operation,
    object: `${name} to ${describeHook(filter)}`,
  };
}

function header(hook: FilterHook, handle: number, priority: number, protocol = networkOrder(ETH_P_ALL)) {
  const info = ((priority << 16) | protocol) >>> 0;
  if ('block' in hook) return tcmsg(TCM_IFINDEX_MAGIC_BLOCK, handle, hook.block, info);
  return tcmsg(hook.ifindex, handle, hook.parent === 'ingress' ? TcHandle.INGRESS : TcHandle.EGRESS, info);
}

/** The protocol is a `__be16` inside of a number in the machine's order. */
function networkOrder(value: number): number {
  return littleEndian ? ((value & 0xff) << 8) | (value >> 8) : value;
}

function describeHook(hook: FilterHook): string {
  return 'block' in hook ? `block ${hook.block}` : `${hook.parent} of ${describeLink(hook.ifindex)}`;
}
