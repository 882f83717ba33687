import { AttachType } from '../attach-type.ts';
import { BpfCommand, bpf } from '../ffi/bpf.ts';
import { KernelError } from '../kernel-error.ts';
import { type Attachable, Link } from './link.ts';

export type Direction = 'ingress' | 'egress';

/**
 * Where among the programs of other tools ours runs. `first` and `last` hold only until the next attachment that asks
 * for the same; a program's id anchors it to that program. Default: `last`.
 */
export type TcxOrder = 'first' | 'last' | { readonly before: number } | { readonly after: number };

export interface TcxAttachment {
  readonly program: Attachable;
  /** In the network namespace of the calling thread. */
  readonly ifindex: number;
  readonly direction: Direction;
  readonly order?: TcxOrder;
}

/** `BPF_F_BEFORE`, `BPF_F_AFTER`, `BPF_F_ID` of linux/bpf.h */
const before = 1 << 3;
const after = 1 << 4;
const byId = 1 << 5;

/**
 * Attaches to a device's TCX hook (Linux 6.6). It takes about 12 ms: a grace period under rtnl.
 *
 * @throws {KernelError} ENODEV when the namespace has no such device; EINVAL on a kernel without TCX.
 */
export function attachTcx({ program, ifindex, direction, order = 'last' }: TcxAttachment): Link {
  const result = bpf(BpfCommand.LINK_CREATE, 'linkCreate', {
    prog_fd: program.fd,
    target: ifindex,
    attach_type: direction === 'ingress' ? AttachType.TCX_INGRESS : AttachType.TCX_EGRESS,
    ...anchor(order),
  });
  if (result >= 0) return Link.own(result);
  const where = `${direction} of the device with index ${ifindex}`;
  throw new KernelError(-result, `attach ${program.name} to TCX`, where, explain(-result));
}

function anchor(order: TcxOrder): { flags: number; relative: number } {
  if (order === 'first') return { flags: before, relative: 0 };
  if (order === 'last') return { flags: after, relative: 0 };
  return 'before' in order
    ? { flags: before | byId, relative: order.before }
    : { flags: after | byId, relative: order.after };
}

function explain(errno: number): string | undefined {
  if (errno === 22) return 'TCX needs Linux 6.6; on older kernels attach through clsact';
  if (errno === 19) return 'the device is not in the network namespace of the calling thread';
  return undefined;
}
