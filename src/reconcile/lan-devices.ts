import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { planOf } from '../network/drivers/registry.ts';
import { deleteDevice } from './apply/devices.ts';
import { bindLanDevice, createLanDevice, ensureParent, isBound, madeByUs } from './apply/lan-devices.ts';
import { lanIfnamePattern } from './desired/devices.ts';
import { endpointRoutesOf, type LanDevice, lanDeviceOf, lanDevices, lanIfnameOf } from './desired/lan-devices.ts';
import type { HostFacts, HostLink } from './facts.ts';
import type { HostParts } from './host-parts.ts';

/**
 * Has every endpoint's device on its parent there, still down where it is new. What stands on a parent that has gone is
 * gone with it: such an endpoint says so until the parent is back.
 *
 * @returns the names of the devices that it made or removed
 */
export function makeLanDevices(parts: HostParts, intent: Intent, links: readonly HostLink[]): Set<string> {
  const changed = new Set<string>();
  const wanted = lanDevices(intent);
  parts.unjoined.clear();
  const found = new Map(links.map((link) => [link.name, link]));
  for (const link of links) {
    if (!lanIfnamePattern.test(link.name)) continue;
    const device = wanted.get(link.name);
    if (device && isRight(device, link, found)) continue;
    parts.attempt(`remove device ${link.name}`, () => deleteDevice(parts.netlink, link));
    found.delete(link.name);
    changed.add(link.name);
    parts.count('device', 1);
  }
  removeVlans(parts, intent.networks.values(), links);
  for (const device of wanted.values()) {
    if (found.has(device.name) || !found.has(device.endpoint.hostIfname)) continue;
    try {
      createLanDevice(parts.netlink, device, parts.program('from_lan'));
      changed.add(device.name);
      parts.count('device', 1);
    } catch (error) {
      parts.unjoined.set(device.endpoint.id, reasonOf(error));
    }
  }
  ensureShared(parts, intent, changed);
  return changed;
}

/** Parents that endpoints share are there, or these say so. */
function ensureShared(parts: HostParts, intent: Intent, changed: Set<string>): void {
  for (const network of intent.networks.values()) {
    const { lan, uplink } = planOf(network);
    const parent = lan?.mode === 'shared' ? lan.parent : uplink;
    if (parent === undefined) continue;
    try {
      const before = parts.netlink.link(parent);
      ensureParent(parts.netlink, { parent });
      if (!before) changed.add(parent);
    } catch (error) {
      for (const { id, network: of } of intent.endpoints.values()) {
        if (of === network.id) parts.unjoined.set(id, reasonOf(error));
      }
    }
  }
}

/** @param made with their program */
export function bindLanDevices(parts: HostParts, links: readonly HostLink[], made: ReadonlySet<string>): void {
  const program = parts.program('from_lan');
  for (const { name, ifindex } of links) {
    if (!lanIfnamePattern.test(name) || made.has(name)) continue;
    parts.attempt(`attach from_lan to ${name}`, () => {
      if (isBound(parts.netlink, ifindex, program)) return;
      bindLanDevice(parts.netlink, ifindex, program);
      parts.count('filter', 1);
    });
  }
}

/** Sets every device up whose endpoint the maps have. */
export function openLanDevices(parts: HostParts, links: readonly HostLink[], made: ReadonlySet<string>): void {
  for (const { name, ifindex, up } of links) {
    if (up || !lanIfnamePattern.test(name)) continue;
    parts.attempt(`set ${name} up`, () => parts.netlink.setLink(ifindex, { up: true }));
    if (!made.has(name)) parts.count('device', 1);
  }
}

/**
 * Makes the device of one endpoint.
 *
 * @returns ifindex of what it reaches its LAN by; 0: it is on none
 * @throws VetchError, KernelError
 */
export function addLanDevice(parts: HostParts, endpoint: Endpoint, network: Network): number {
  const { lan } = planOf(network);
  if (lan?.mode === 'shared') return ensureParent(parts.netlink, lan).index;
  const device = lanDeviceOf(endpoint, network);
  return device ? createLanDevice(parts.netlink, device, parts.program('from_lan')) : 0;
}

/** Removes the device of one endpoint, if it is there. */
export function removeLanDevice({ netlink }: HostParts, endpoint: Endpoint): void {
  const link = netlink.link(lanIfnameOf(endpoint));
  if (link) deleteDevice(netlink, { ifindex: link.index });
}

/** Has the parent of a network there. @throws VetchError NOT_FOUND, INVALID, UNSUPPORTED */
export function addParent(parts: HostParts, network: Network): void {
  const { lan, uplink } = planOf(network);
  const parent = lan?.parent ?? uplink;
  if (parent === undefined) return;
  const { index } = ensureParent(parts.netlink, { parent });
  if (parts.facts.links.some(({ ifindex }) => ifindex === index)) return;
  parts.facts = parts.observeFacts();
  parts.control.know(parts.facts);
}

/** VLAN devices that were made for networks, none of which is left. */
export function removeVlans(
  parts: HostParts,
  networks: Iterable<Network>,
  links: readonly Pick<HostLink, 'name' | 'ifindex' | 'alias'>[],
): void {
  const used = new Set([...networks].map((network) => planOf(network).lan?.parent ?? planOf(network).uplink));
  for (const link of links) {
    if (link.alias !== madeByUs || used.has(link.name)) continue;
    parts.attempt(`remove device ${link.name}`, () => deleteDevice(parts.netlink, link));
  }
}

/** Brings what is known of the routes to single endpoints up to date. */
export function noteEndpointRoutes(parts: HostParts, intent: Intent, facts: HostFacts): void {
  parts.endpointRoutes.clear();
  for (const network of intent.networks.values()) {
    if (!planOf(network).endpointRoutes) continue;
    for (const endpoint of intent.endpoints.values()) {
      if (endpoint.network !== network.id) continue;
      parts.endpointRoutes.set(endpoint.id, endpointRoutesOf(endpoint, network, facts));
    }
  }
}

/** A device on another parent than its own, or with another MAC, serves nobody. */
function isRight({ mac, plan }: LanDevice, link: HostLink, links: ReadonlyMap<string, HostLink>): boolean {
  return link.kind === 'macvlan' && link.linkIndex === links.get(plan.parent)?.ifindex && link.mac === mac;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
