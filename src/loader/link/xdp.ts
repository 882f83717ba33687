import { AttachType } from '../attach-type.ts';
import { BpfCommand, bpf } from '../ffi/bpf.ts';
import { KernelError } from '../kernel-error.ts';
import { type Attachable, Link } from './link.ts';

/** `native` runs in the driver, `generic` after a socket buffer was made: slower than no program, for tests. */
export type XdpMode = 'native' | 'generic';

export interface XdpAttachment {
  readonly program: Attachable;
  /** In the network namespace of the calling thread. */
  readonly ifindex: number;
  /** `auto` takes native, and generic where the driver has no native mode. */
  readonly mode: XdpMode | 'auto';
}

/** `XDP_FLAGS_SKB_MODE`, `XDP_FLAGS_DRV_MODE` of linux/if_link.h */
const modeFlags = { generic: 1 << 1, native: 1 << 2 } as const;
const notSupported = 95;

/**
 * Attaches to a device's XDP hook through a link (Linux 5.9). Links of one device share one mode.
 *
 * @throws {KernelError} EBUSY when another tool's program is there; EOPNOTSUPP when the driver has no native mode.
 */
export function attachXdp({ program, ifindex, mode }: XdpAttachment): Link & { readonly mode: XdpMode } {
  const modes: readonly XdpMode[] = mode === 'auto' ? ['native', 'generic'] : [mode];
  let errno = 0;
  for (const candidate of modes) {
    const result = bpf(BpfCommand.LINK_CREATE, 'linkCreate', {
      prog_fd: program.fd,
      target: ifindex,
      attach_type: AttachType.XDP,
      flags: modeFlags[candidate],
    });
    if (result >= 0) return Object.assign(Link.own(result), { mode: candidate });
    errno = -result;
    if (errno !== notSupported) break;
  }
  throw new KernelError(errno, `attach ${program.name} to XDP`, `the device with index ${ifindex}`, explain(errno));
}

function explain(errno: number): string | undefined {
  if (errno === 16) return 'another XDP program is attached: `bpftool net` names it';
  if (errno === notSupported) return 'the driver has no native XDP: use the mode generic or auto';
  if (errno === 19) return 'the device is not in the network namespace of the calling thread';
  return undefined;
}
