import { attachTypeName } from '../attach-type.ts';
import { infoOf } from '../check.ts';
import { objectInfo } from '../ffi/bpf.ts';

/** `enum bpf_link_type`, by name; the place in the list is the kernel's number. */
const linkTypes = [
  'unspec',
  'raw_tracepoint',
  'tracing',
  'cgroup',
  'iter',
  'netns',
  'xdp',
  'perf_event',
  'kprobe_multi',
  'struct_ops',
  'netfilter',
  'tcx',
  'uprobe_multi',
  'netkit',
  'sockmap',
] as const;

export type LinkType = (typeof linkTypes)[number] | 'unknown';

export interface LinkInfo {
  readonly id: number;
  readonly type: LinkType;
  readonly programId: number;
  /** XDP and TCX. 0: the device is gone. */
  readonly ifindex?: number;
  /** The inode number of the cgroup's directory. 0: the cgroup is gone. */
  readonly cgroupId?: bigint;
  /** TCX and cgroup, as `TCX_INGRESS`. */
  readonly attachType?: string;
  /** False when what it was attached to is gone, or it was detached. */
  readonly live: boolean;
}

type Kind = Record<string, Record<string, number | bigint>>;

/** @throws {KernelError} EBADF when `fd` is no link. */
export function linkInfo(fd: number): LinkInfo {
  const info = infoOf(objectInfo('link', fd), 'describe a link', `descriptor ${fd}`);
  const kind = info.kind as Kind;
  const type: LinkType = linkTypes[Number(info.type)] ?? 'unknown';
  const common = { id: Number(info.id), type, programId: Number(info.prog_id) };
  switch (type) {
    case 'xdp': {
      const ifindex = Number(kind.xdp?.ifindex);
      return { ...common, ifindex, live: ifindex !== 0 };
    }
    case 'tcx': {
      const ifindex = Number(kind.tcx?.ifindex);
      return { ...common, ifindex, attachType: attachTypeName(Number(kind.tcx?.attach_type)), live: ifindex !== 0 };
    }
    case 'cgroup': {
      const cgroupId = BigInt(kind.cgroup?.cgroup_id ?? 0);
      const attachType = attachTypeName(Number(kind.cgroup?.attach_type));
      return { ...common, cgroupId, attachType, live: cgroupId !== 0n };
    }
    default:
      return { ...common, live: true };
  }
}
