import { KernelError } from '../loader/kernel-error.ts';
import type { Attachable } from '../loader/link/link.ts';
import type { Filter } from '../netlink/filter.ts';
import type { Netlink } from '../netlink/netlink.ts';
import type { DeviceAttachment } from './desired/attachments.ts';
import { hostDevice, hostIfnamePattern, lanIfnamePattern } from './desired/devices.ts';
import type { HostLink } from './facts.ts';
import { ourFilter } from './observed/devices.ts';
import type { ObservedAttachment } from './plan/attachments.ts';

/** Devices whose filters are bound in other ways: the shared block's, and those on a parent device. */
const ownFilter = new RegExp(`^${hostDevice.peer}$|${hostIfnamePattern.source}|${lanIfnamePattern.source}`);

type Direction = 'ingress' | 'egress';

/**
 * Programs on devices through filters of clsact qdiscs, for kernels without TCX (before 6.6). A device's qdisc may be
 * somebody else's: only our filter is touched, and the qdisc goes when nothing hangs on it any more.
 */
export class ClsactAttachments {
  readonly #netlink: Netlink;

  constructor(netlink: Netlink) {
    this.#netlink = netlink;
  }

  /** Every filter of ours on a device of its own; the shared block is not among them. */
  observe(links: readonly HostLink[]): ObservedAttachment[] {
    const clsact = new Set(this.#netlink.qdiscs().flatMap(({ kind, ifindex }) => (kind === 'clsact' ? ifindex : [])));
    return links
      .filter(({ ifindex, name }) => clsact.has(ifindex) && !ownFilter.test(name))
      .flatMap((link) => (['ingress', 'egress'] as const).flatMap((parent) => this.#observe(link, parent)));
  }

  attach({ kind, program: name, ifindex }: DeviceAttachment & { readonly kind: Direction }, { fd }: Attachable): void {
    try {
      this.#netlink.addClsact(ifindex);
    } catch (error) {
      if (!KernelError.is(error, 'EEXIST')) throw error;
    }
    this.#netlink.replaceBpfFilter({ ifindex, parent: kind, fd, name, ...filterOf(name) });
  }

  /** @param hook absent: all of ours */
  detach(device: string, hook?: string): void {
    const ifindex = this.#netlink.link(device)?.index;
    if (ifindex === undefined || this.#netlink.clsact(ifindex)?.kind !== 'clsact') return;
    for (const parent of ['ingress', 'egress'] as const) {
      for (const filter of this.#netlink.filters({ ifindex, parent }).filter(isOurs)) {
        if (hook !== undefined && hookOf(filter.name) !== hook) continue;
        this.#netlink.deleteBpfFilter({ ifindex, parent, ...filterOf(filter.name) });
      }
    }
    const left = (['ingress', 'egress'] as const).flatMap((parent) => this.#netlink.filters({ ifindex, parent }));
    if (left.length === 0) this.#netlink.deleteClsact(ifindex);
  }

  #observe({ ifindex, name: target }: HostLink, parent: Direction): ObservedAttachment[] {
    return this.#netlink
      .filters({ ifindex, parent })
      .filter(isOurs)
      .map(({ name, programId = 0 }) => ({ hook: hookOf(name), target, ifindex, programId, live: true }));
  }
}

function isOurs({ handle, priority, name }: Filter): boolean {
  const { priority: own } = filterOf(name);
  return handle === ourFilter.handle && priority === own && name?.startsWith('from_') === true;
}

/** On a parent that is an uplink, too, both programs run, one after the other. */
function filterOf(name = ''): { readonly handle: number; readonly priority: number } {
  return name === 'from_parent' ? { ...ourFilter, priority: ourFilter.priority + 1 } : ourFilter;
}

/** `from_uplink_l3` runs at the same hook as `from_uplink`. */
function hookOf(name = ''): string {
  return name.startsWith('from_uplink') ? 'from_uplink' : name;
}
