import { KernelError } from '../../loader/kernel-error.ts';
import type { Attachable } from '../../loader/link/link.ts';
import type { Netlink } from '../../netlink/netlink.ts';
import * as requests from '../../netlink/requests.ts';
import { readSysctl, writeSysctl, writeSysctls } from '../../netlink/sysctl.ts';
import type { SandboxPlan } from '../../network/drivers/contract.ts';
import { closedDevice, hostDevice, type Sysctl, sharedBlock } from '../desired/devices.ts';
import type { HostLink } from '../facts.ts';
import { ourFilter } from '../observed/devices.ts';
import type { BindingStep, OpeningStep } from '../plan/devices.ts';
import type { Sandbox } from '../sandbox.ts';

/** Of every host end: nobody ever sees it, but udev leaves alone what was given. */
const hostEndMac = '02:76:65:74:63:6a';

/** Devices that are about to go are in it, and nothing else ever. */
const leavingGroup = sharedBlock;
/** As many as the kernel takes about a tenth of a second for, in which nothing else can be configured. */
const leavingAtOnce = 250;

/** Makes the pair, down. */
export function createHostDevice(netlink: Netlink, mtu: number): void {
  const { name, peer, mac, peerMac } = hostDevice;
  netlink.createVeth({ name, mac, mtu, noarp: true, peer: { name: peer, mac: peerMac, mtu, noarp: true } });
}

/**
 * Makes an endpoint's veth, its far end straight in the sandbox, and sets that end up. The host's end stays down: from
 * here on the caller deletes it if anything fails.
 *
 * @returns ifindex of the host's end
 */
export function createEndpointDevice(netlink: Netlink, plan: SandboxPlan, sandbox: Sandbox): number {
  const { hostIfname: name, ifname, mac, mtu } = plan;
  const { index } = netlink.createVeth({
    ...{ name, mac: hostEndMac, mtu },
    peer: { name: ifname, mac, mtu, netns: sandbox.netns },
  });
  return index;
}

/**
 * Makes an endpoint's veth with both ends in the host, down: an engine moves the far end into the sandbox, renames it and
 * gives it its addresses. With the MTU and the MAC that it is to have: no engine sets the MTU.
 *
 * @returns ifindex of the host's end
 */
export function createHandedOverDevice(netlink: Netlink, plan: SandboxPlan): number {
  const { hostIfname: name, ifname, mac, mtu } = plan;
  const { index } = netlink.createVeth({ ...{ name, mac: hostEndMac, mtu }, peer: { name: ifname, mac, mtu } });
  return index;
}

/** Closes the host's end to everything but the shared block's program. */
export function closeEndpointDevice(netlink: Netlink, hostIfname: string, ifindex: number): void {
  ensureSysctls(closedDevice(hostIfname));
  netlink.addClsact(ifindex, { ingressBlock: sharedBlock });
}

/** Addresses and routes inside of the sandbox. */
export function openSandbox(sandbox: Sandbox, plan: SandboxPlan): void {
  const { netlink, netns } = sandbox;
  const { ifname } = plan;
  if (!plan.ipv6) {
    ignoring(['ENOENT'], () => writeSysctls(netns, [{ path: `net/ipv6/conf/${ifname}/disable_ipv6`, value: '1' }]));
  }
  if (plan.ipv6 && plan.autoconf === false) {
    ignoring(['ENOENT'], () => writeSysctls(netns, [{ path: `net/ipv6/conf/${ifname}/autoconf`, value: '0' }]));
  }
  const ifindex = netlink.link(ifname)?.index ?? 0;
  netlink.batch([
    requests.setLink('lo', { up: true }),
    requests.setLink(ifindex, { up: true }),
    ...plan.addresses.map((address) => requests.addAddress(ifindex, address, { noDad: true })),
  ]);
  const routes = [...plan.routes, ...plan.defaultRoutes].map((route) => ({ ...route, ifindex, onlink: true }));
  // A default route that another network gave is there first, and stays.
  for (const error of netlink.attempt(routes.map((route) => requests.addRoute(route)))) {
    if (error && error.code !== 'EEXIST') throw error;
  }
}

/** @param program `from_endpoint` */
export function applyBinding(netlink: Netlink, step: BindingStep, program: Attachable): void {
  if (step.kind === 'set-filter') {
    netlink.replaceBpfFilter({ block: sharedBlock, fd: program.fd, name: 'from_endpoint', ...ourFilter });
    return;
  }
  const { ifindex } = step.link;
  if (step.replace) netlink.deleteClsact(ifindex);
  netlink.addClsact(ifindex, { ingressBlock: sharedBlock });
}

export function applyOpening(netlink: Netlink, step: OpeningStep, hostIfindex: number): void {
  switch (step.kind) {
    case 'set-mtu':
      netlink.setLink(step.link.ifindex, { mtu: step.mtu });
      break;
    case 'set-up':
      netlink.setLink(step.link.ifindex, { up: true });
      break;
    case 'add-address':
      netlink.addAddress(hostIfindex, step.address, { noDad: true, replace: true });
      break;
    case 'delete-address':
      ignoring(['EADDRNOTAVAIL'], () => netlink.deleteAddress(hostIfindex, step.address));
      break;
    case 'set-route':
      netlink.replaceRoute({ ...step.route, ifindex: hostIfindex });
      break;
    case 'delete-route':
      ignoring(['ESRCH'], () => netlink.deleteRoute({ destination: step.destination, ifindex: hostIfindex }));
      break;
  }
}

/** Deletes a device that may be gone already. */
export function deleteDevice(netlink: Netlink, link: Pick<HostLink, 'ifindex'>): void {
  ignoring(['ENODEV'], () => netlink.deleteLink(link.ifindex));
}

/**
 * Likewise many endpoints' devices: by groups, since the kernel waits some 15 ms for each that is deleted alone, and
 * as long for a group.
 */
export function deleteDevices(netlink: Netlink, links: readonly Pick<HostLink, 'ifindex'>[]): void {
  const shared = links.length > 1 && netlink.links().some(({ group }) => group === leavingGroup);
  if (links.length < 2 || shared) {
    for (const link of links) deleteDevice(netlink, link);
    return;
  }
  for (let at = 0; at < links.length; at += leavingAtOnce) {
    const some = links.slice(at, at + leavingAtOnce);
    netlink.attempt(some.map(({ ifindex }) => requests.setLink(ifindex, { group: leavingGroup })));
    ignoring(['ENODEV'], () => netlink.deleteGroup(leavingGroup));
  }
}

/** Writes those that are not as they should be; returns how many. A kernel without IPv6 has none of IPv6's. */
export function ensureSysctls(wanted: readonly Sysctl[]): number {
  let written = 0;
  for (const { path, value } of wanted) {
    ignoring(['ENOENT'], () => {
      if (readSysctl(undefined, path) === value) return;
      writeSysctl(undefined, path, value);
      written++;
    });
  }
  return written;
}

function ignoring(codes: readonly string[], fn: () => void): void {
  try {
    fn();
  } catch (error) {
    if (!KernelError.is(error, ...codes)) throw error;
  }
}
