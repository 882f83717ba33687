import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import { openPin } from '../loader/bpffs.ts';
import { PinTree } from '../loader/pin.ts';
import { mapDefinitions } from '../maps/generated/abi.ts';
import { RawMap } from '../maps/raw-map.ts';
import { Netlink } from '../netlink/netlink.ts';
import { detachLink } from '../reconcile/apply/attachments.ts';
import { deleteDevices } from '../reconcile/apply/devices.ts';
import { madeByUs } from '../reconcile/apply/lan-devices.ts';
import { ClsactAttachments } from '../reconcile/clsact-attachments.ts';
import {
  hostDevice,
  hostIfnamePattern,
  lanIfnamePattern,
  overlayDevice,
  shaperDevice,
  wireguardDevices,
} from '../reconcile/desired/devices.ts';
import { claimBpffs } from './bpffs-owner.ts';
import type { DaemonOptions } from './options.ts';

const wireguardNames: readonly string[] = wireguardDevices;

/**
 * Removes every trace from the kernel; the state stays, and a daemon that is started again builds it all anew. Devices
 * go before programs are detached from uplinks, so that at no moment a container is reached that should not be.
 *
 * @returns what was removed, a line each
 * @throws VetchError IN_USE: a daemon runs
 */
export async function uninstall(options: DaemonOptions, log: Logger): Promise<string[]> {
  using _owner = claimBpffs(options.bpffs);
  using netlink = Netlink.open();
  const removed: string[] = [];
  const attempt = (what: string, remove: () => void) => {
    try {
      remove();
      removed.push(what);
    } catch (err) {
      log.error({ err }, `cannot remove ${what}`);
    }
  };
  for (const version of new PinTree(options.bpffs).versions()) {
    attempt('the way from socket to socket', () => forbidBypass(new PinTree(options.bpffs, version)));
  }
  const links = netlink.links();
  const endpoints = links.filter(({ name }) => hostIfnamePattern.test(name) || lanIfnamePattern.test(name));
  try {
    deleteDevices(
      netlink,
      endpoints.map(({ index }) => ({ ifindex: index })),
    );
    removed.push(...endpoints.map(({ name }) => `device ${name}`));
  } catch (err) {
    log.error({ err }, 'cannot remove the devices of endpoints');
  }
  for (const { name, index } of links.filter(({ alias }) => alias === madeByUs)) {
    attempt(`device ${name}`, () => netlink.deleteLink(index));
  }
  const device = links.find(({ name }) => name === hostDevice.name || name === hostDevice.peer);
  if (device) {
    for (const { cidr } of netlink.addresses({ ifindex: device.index })) removed.push(`address ${cidr}`);
    for (const { destination } of netlink.routes({ ifindex: device.index })) removed.push(`route ${destination}`);
    attempt(`device ${device.name} and its peer`, () => netlink.deleteLink(device.index));
  }
  const shaper = links.find(({ name }) => name === shaperDevice.name || name === shaperDevice.peer);
  if (shaper) attempt(`device ${shaper.name} and its peer`, () => netlink.deleteLink(shaper.index));
  const overlay = links.find(({ name }) => name === overlayDevice.name);
  if (overlay) attempt(`device ${overlay.name}`, () => netlink.deleteLink(overlay.index));
  for (const { name, index } of links.filter(({ name }) => wireguardNames.includes(name))) {
    attempt(`device ${name}`, () => netlink.deleteLink(index));
  }
  const clsact = new ClsactAttachments(netlink);
  const facts = netlink.links().map(({ index, ...link }) => ({ ifindex: index, ...link }));
  for (const { hook, target } of clsact.observe(facts)) {
    attempt(`filter ${hook} of ${target}`, () => clsact.detach(target, hook));
  }
  for (const version of new PinTree(options.bpffs).versions()) {
    const tree = new PinTree(options.bpffs, version);
    for (const { hook, target, path } of tree.links()) attempt(`link ${hook} of ${target}`, () => detachLink(path));
    for (const path of tree.removeAll()) removed.push(`pin ${path}`);
  }
  return removed;
}

/** Connections that go past the stack would outlive the devices: from here on they need them, as all do. */
function forbidBypass(tree: PinTree): void {
  const path = tree.map(mapDefinitions.accelerated.name);
  if (!existsSync(path)) return;
  using map = new RawMap(openPin(path));
  for (const batch of map.writtenBatches())
    for (const [key, value] of batch) map.update(key, new Uint8Array(value.length));
}
