import { setImmediate } from 'node:timers/promises';
import type { Intent } from '../model/intent.ts';
import { driverOf, planOf } from '../network/drivers/registry.ts';
import { isLimited } from '../network/limits-of.ts';
import { alignMaps } from './align-maps.ts';
import { bindDevices } from './bind-devices.ts';
import { desiredHostDevice, isClosed } from './desired/devices.ts';
import { lanDevices, lanIfindexOf } from './desired/lan-devices.ts';
import { straightUplinks } from './desired/straight.ts';
import { needsEncryption, needsTunnel, tunnelOf } from './desired/tunnel.ts';
import { isOurs, sendsByXdp } from './desired/uplinks.ts';
import { type HostFacts, linksByName, withoutEndpoints } from './facts.ts';
import { observeCgroups } from './host-cgroups.ts';
import type { HostParts } from './host-parts.ts';
import { bindLanDevices, makeLanDevices, noteEndpointRoutes, openLanDevices } from './lan-devices.ts';
import { makeDevices } from './make-devices.ts';
import { closeHostDevice, openDevices } from './open-devices.ts';
import { openEncryption, syncPeers } from './open-encryption.ts';
import { openOverlay } from './open-overlay.ts';
import { planMaking, type WantedDevices } from './plan/devices.ts';

/**
 * Makes everything on the host what it should be. Packets flow all the while: what restricts is there before what
 * permits, the programs before devices come up, and nothing that serves a flow goes before what replaces it is there.
 */
export async function pass(parts: HostParts, intent: Intent): Promise<void> {
  const { attachments, control, devices } = parts;
  const wanted = wantedDevices(intent);
  const moved = observeCgroups(parts, intent);
  const seen = parts.observeFacts();
  const steps = planMaking(wanted, seen.links);
  const made = await makeDevices(parts, intent, wanted, steps);
  const joined = makeLanDevices(parts, intent, made.size === 0 ? seen.links : parts.observeFacts().links);
  for (const name of joined) made.add(name);
  const before = parts.passes === 0 ? seen : parts.facts;
  // Thousands of devices take the kernel a while to list.
  const shaped = ensureShaper(parts, intent);
  const tunnelled = ensureOverlay(parts, intent, seen);
  const encrypted = ensureEncryption(parts, intent, seen);
  const unchanged = steps.length === 0 && joined.size === 0 && !shaped && !tunnelled && !encrypted;
  parts.facts = unchanged ? seen : parts.observeFacts();
  const { facts } = parts;
  noteDevices(parts, intent);
  noteEndpointRoutes(parts, intent, facts);
  bindDevices(parts, wanted, facts.links, made);
  bindLanDevices(parts, facts.links, made);
  await setImmediate();
  const failed = parts.failing('attach a program');
  parts.count('attachment', attachments.reconcile(intent, facts, failed, true));
  control.know(facts);
  control.shape(parts.shaper.ifindex);
  control.sendStraight(straightUplinks(intent, facts).length > 0);
  if (openOverlay(parts) && !tunnelled) parts.count('device', 1);
  const opened = openEncryption(parts);
  if (!encrypted) parts.count('device', opened);
  // What is free by now is no drift.
  if (parts.passes > 0) control.retryRemotePorts();
  const changed = await alignMaps(parts, intent);
  // An entry that follows a device or an address which has changed is no drift of its own.
  if (made.size === 0 && !moved && sameFacts(before, facts)) parts.count('map', changed);
  // Who is known is accepted before it may send.
  parts.count('device', syncPeers(parts));
  devices.allDone();
  await setImmediate();
  parts.count('attachment', attachments.reconcile(intent, facts, failed));
  closeHostDevice(parts, made);
  openDevices(parts, withRoutes(parts, intent, wanted), facts.links, made);
  openLanDevices(parts, facts.links, made);
  const closed = new Set(facts.links.filter(isClosed).map(({ name }) => name));
  const names = [...wanted.endpoints.keys(), ...lanDevices(intent).keys()];
  parts.openEndpoints = names.filter((name) => !closed.has(name));
  parts.facts = withoutEndpoints(facts);
  control.know(parts.facts);
  parts.passes++;
}

/**
 * Has the shaper there as long as some endpoint has a limit. Nothing is sent there before `control.shape`.
 *
 * @returns whether its devices have come or gone
 */
function ensureShaper(parts: HostParts, intent: Intent): boolean {
  const before = parts.shaper.ifindex;
  let changed = false;
  parts.attempt('make the shaper', () => {
    changed = parts.shaper.ensure(limitsAnybody(intent));
  });
  if (changed && before !== 0) parts.count('device', 1);
  return changed;
}

/**
 * Has the way to other hosts there as long as some network spans them and this host can be tunnelled to. It stays closed.
 *
 * @returns whether it has come or gone
 */
function ensureOverlay(parts: HostParts, { networks }: Intent, facts: HostFacts): boolean {
  const before = parts.overlay.ifindex;
  let changed = false;
  parts.attempt('make the device to other hosts', () => {
    changed = parts.overlay.ensure(needsTunnel(networks.values()), tunnelOf(facts));
  });
  if (changed && before !== 0) parts.count('device', 1);
  return changed;
}

/**
 * Has the devices that encrypt there as long as some network is encrypted. They stay closed.
 *
 * @returns whether one has come or gone
 */
function ensureEncryption(parts: HostParts, { networks }: Intent, facts: HostFacts): boolean {
  const before = parts.encryption.devices.length;
  let changed = false;
  parts.attempt('make the devices that encrypt', () => {
    changed = parts.encryption.ensure(needsEncryption(networks.values()), tunnelOf(facts));
  });
  if (changed && before > 0) parts.count('device', 1);
  return changed;
}

function limitsAnybody({ endpoints, networks }: Intent): boolean {
  for (const endpoint of endpoints.values()) {
    const network = networks.get(endpoint.network);
    if (network && isLimited(endpoint, network)) return true;
  }
  return false;
}

function wantedDevices(intent: Intent): WantedDevices {
  const endpoints = new Map<string, number>();
  for (const endpoint of intent.endpoints.values()) {
    const network = intent.networks.get(endpoint.network);
    if (network && driverOf(network).capabilities.devices) endpoints.set(endpoint.hostIfname, network.mtu);
  }
  return { host: desiredHostDevice(intent.networks.values()), endpoints };
}

/** To single endpoints, too, as the host's addresses are now. */
function withRoutes({ endpointRoutes }: HostParts, intent: Intent, wanted: WantedDevices): WantedDevices {
  if (endpointRoutes.size === 0) return wanted;
  return { ...wanted, host: desiredHostDevice(intent.networks.values(), [...endpointRoutes.values()].flat()) };
}

/** Which device is whose, as found. */
function noteDevices({ devices, facts }: HostParts, intent: Intent): void {
  const links = linksByName(facts);
  for (const [id, endpoint] of intent.endpoints) {
    const ifindex = links.get(endpoint.hostIfname)?.ifindex;
    const network = intent.networks.get(endpoint.network);
    const known = devices.get(id);
    if (ifindex === undefined) devices.delete(id);
    const lan = network ? lanIfindexOf(endpoint, network, links) : 0;
    if (ifindex !== undefined && (known?.ifindex !== ifindex || known.lanIfindex !== lan))
      devices.set(id, ifindex, lan, network !== undefined && planOf(network).lan?.mode === 'shared');
  }
  for (const id of devices.ids()) if (!intent.endpoints.has(id)) devices.delete(id);
}

/** Whether what the maps say of the host beside the intent is unchanged; our own devices follow the intent. */
function sameFacts(a: HostFacts, b: HostFacts): boolean {
  return digest(a) === digest(b);
}

function digest({ links, addresses, localPorts, defaultRoutes, ipsec }: HostFacts): string {
  const ours = new Set(links.filter(({ name }) => isOurs(name)).map(({ ifindex }) => ifindex));
  return JSON.stringify([
    links
      .filter(({ ifindex }) => !ours.has(ifindex))
      .map((link) => [link.ifindex, link.name, link.mtu, link.master ?? 0, sendsByXdp(link)]),
    addresses
      .filter(({ ifindex }) => !ours.has(ifindex))
      .map(({ ifindex, address, secondary }) => [ifindex, Buffer.from(address).toString('hex'), secondary]),
    [localPorts, defaultRoutes, ipsec],
  ]);
}
