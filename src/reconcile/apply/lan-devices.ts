import { VetchError } from '../../api/error.ts';
import { KernelError } from '../../loader/kernel-error.ts';
import type { Attachable } from '../../loader/link/link.ts';
import type { Link } from '../../netlink/link.ts';
import type { Netlink } from '../../netlink/netlink.ts';
import type { LanPlan } from '../../network/drivers/contract.ts';
import { closedDevice } from '../desired/devices.ts';
import { type LanDevice, vlanOf } from '../desired/lan-devices.ts';
import { isOurs } from '../desired/uplinks.ts';
import { ourFilter } from '../observed/devices.ts';
import { ensureSysctls } from './devices.ts';

/** On VLAN devices that we have made: who finds it may remove them with their last network. */
export const madeByUs = 'made by vetch';

/**
 * The parent of a network, made where its name says which VLAN it is.
 *
 * @throws VetchError NOT_FOUND, INVALID, UNSUPPORTED
 */
export function ensureParent(netlink: Netlink, { parent }: Pick<LanPlan, 'parent'>): Link {
  const found = netlink.link(parent);
  if (found) return suitable(netlink, found);
  const vlan = vlanOf(parent);
  const base = vlan && netlink.link(vlan.base);
  if (!vlan || !base) {
    throw new VetchError(
      'NOT_FOUND',
      `there is no device ${parent} to be a parent`,
      'name one that `ip link` shows, or a VLAN of one as eth0.10',
    );
  }
  suitable(netlink, base);
  let index: number;
  try {
    index = netlink.createVlan({ name: parent, parent: base.index, id: vlan.id });
  } catch (error) {
    throw refusal(error, `a VLAN device ${parent}`, 'CONFIG_VLAN_8021Q (module 8021q)');
  }
  try {
    // The kernel takes no alias as it makes a device.
    netlink.setLink(index, { up: true, alias: madeByUs });
  } catch (error) {
    deleteQuietly(netlink, index);
    throw error;
  }
  const made = netlink.link(parent);
  if (!made) throw new VetchError('UNAVAILABLE', `device ${parent} is gone again`, 'try again');
  return made;
}

function suitable(netlink: Netlink, link: Link): Link {
  const { name, ethernet, loopback, master } = link;
  if (!ethernet || loopback || isOurs(name)) {
    throw new VetchError('INVALID', `device ${name} leads to no LAN`, 'choose an Ethernet device as parent');
  }
  const owner = master === undefined ? undefined : netlink.link(master);
  if (owner === undefined || owner.kind === 'vrf') return link;
  throw new VetchError(
    'INVALID',
    `device ${name} belongs to ${owner.name}, which takes all of its frames`,
    `use parent=${owner.name}`,
  );
}

/** Makes an endpoint's device on the parent, down, with nothing that it carries past the program. @returns ifindex */
export function createLanDevice(netlink: Netlink, device: LanDevice, program: Attachable): number {
  const { name, mac, plan } = device;
  const parent = ensureParent(netlink, plan);
  let ifindex: number;
  try {
    ifindex = netlink.createMacvlan({ name, mac, parent: parent.index, mode: plan.mode });
  } catch (error) {
    throw refusal(error, `a macvlan device on ${plan.parent}`, 'CONFIG_MACVLAN');
  }
  try {
    ensureSysctls(closedDevice(name));
    // The groups that the container is in are not known here.
    netlink.setLink(ifindex, { noarp: true, allMulticast: true, ...(plan.mode === 'passthru' ? { mac } : {}) });
    bindLanDevice(netlink, ifindex, program);
  } catch (error) {
    deleteQuietly(netlink, ifindex);
    throw error;
  }
  return ifindex;
}

/** Whether the device runs the program. */
export function isBound(netlink: Netlink, ifindex: number, program: { readonly id: number }): boolean {
  return netlink.filters({ ifindex, parent: 'ingress' }).some(({ handle, priority, programId }) => {
    return handle === ourFilter.handle && priority === ourFilter.priority && programId === program.id;
  });
}

export function bindLanDevice(netlink: Netlink, ifindex: number, { fd }: Attachable): void {
  try {
    netlink.addClsact(ifindex);
  } catch (error) {
    if (!KernelError.is(error, 'EEXIST')) throw error;
  }
  netlink.replaceBpfFilter({ ifindex, parent: 'ingress', fd, name: 'from_lan', ...ourFilter });
}

function deleteQuietly(netlink: Netlink, ifindex: number): void {
  try {
    netlink.deleteLink(ifindex);
  } catch (error) {
    if (!KernelError.is(error, 'ENODEV')) throw error;
  }
}

/** What the kernel's own word means where it cannot be helped. */
function refusal(error: unknown, what: string, config: string): unknown {
  if (KernelError.is(error, 'EOPNOTSUPP')) {
    return new VetchError('UNSUPPORTED', `this kernel cannot make ${what}`, `use one built with ${config}`, {
      cause: error,
    });
  }
  if (KernelError.is(error, 'EINVAL', 'EBUSY')) {
    return new VetchError(
      'IN_USE',
      `the kernel refuses ${what}: another use of it is in the way`,
      'choose another parent',
      {
        cause: error,
      },
    );
  }
  return error;
}
