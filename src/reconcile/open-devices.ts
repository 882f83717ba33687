import { setImmediate } from 'node:timers/promises';
import type { Network } from '../model/network.ts';
import { applyOpening, ensureSysctls } from './apply/devices.ts';
import { closedDevice, desiredHostDevice, hostDevice, type Sysctl } from './desired/devices.ts';
import type { HostLink } from './facts.ts';
import type { HostParts } from './host-parts.ts';
import { observeHostDevice } from './observed/devices.ts';
import { planOpening, type WantedDevices } from './plan/devices.ts';

/** Devices whose sysctls are looked at between two turns of the event loop. */
const sysctlBatch = 50;

/** Sets every device up, and gives the host device its addresses and routes. */
export function openDevices(
  parts: HostParts,
  wanted: WantedDevices,
  links: readonly HostLink[],
  made: ReadonlySet<string>,
): void {
  const { netlink, hostIfindex } = parts;
  for (const step of planOpening(wanted, links, observeHostDevice(netlink, hostIfindex))) {
    parts.attempt(step.kind, () => applyOpening(netlink, step, hostIfindex));
    if (made.has('link' in step ? step.link.name : hostDevice.name)) continue;
    const kind = step.kind.endsWith('route') ? 'route' : step.kind.endsWith('address') ? 'address' : 'device';
    parts.count(kind, 1);
  }
}

/** What a network or an endpoint that comes or goes changes on the host device. @throws KernelError */
export function openHostDevice(parts: HostParts, networks: Iterable<Network>): void {
  const { netlink, hostIfindex, facts, endpointRoutes } = parts;
  const names: readonly string[] = [hostDevice.name, hostDevice.peer];
  const links = facts.links.filter(({ name }) => names.includes(name));
  const host = desiredHostDevice(networks, [...endpointRoutes.values()].flat());
  const wanted = { host, endpoints: new Map<string, number>() };
  for (const step of planOpening(wanted, links, observeHostDevice(netlink, hostIfindex))) {
    applyOpening(netlink, step, hostIfindex);
  }
}

/** The sysctls of the host device and its peer. */
export function closeHostDevice(parts: HostParts, made: ReadonlySet<string>): void {
  const written = ensure(parts, desiredHostDevice([]).sysctls);
  if (!made.has(hostDevice.name)) parts.count('sysctl', written);
}

/**
 * The sysctls of endpoints' devices, which anybody opens who turns the host's forwarding on or off. They were closed
 * when they were made, so this needs no lock: many files may be written, and devices may come and go meanwhile.
 */
export async function closeEndpointDevices(parts: HostParts): Promise<void> {
  const open = parts.openEndpoints;
  for (let at = 0; at < open.length; at += sysctlBatch) {
    parts.count('sysctl', ensure(parts, open.slice(at, at + sysctlBatch).flatMap(closedDevice)));
    await setImmediate();
  }
}

function ensure(parts: HostParts, sysctls: readonly Sysctl[]): number {
  let written = 0;
  parts.attempt('write a sysctl', () => {
    written = ensureSysctls(sysctls);
  });
  return written;
}
