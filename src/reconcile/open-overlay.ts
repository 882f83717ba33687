import type { Endpoint } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { needsTunnel, tunnelOf } from './desired/tunnel.ts';
import type { HostParts } from './host-parts.ts';

/** Only the host's own devices are looked at, whatever is intended. */
export const hostDevices = {
  networks: new Map<string, Network>(),
  endpoints: new Map<string, Endpoint>(),
  deny: new Set<string>(),
};

/**
 * Lets packets by the way to other hosts, after its program is there.
 *
 * @returns whether it had been closed
 */
export function openOverlay(parts: HostParts): boolean {
  let opened = false;
  parts.attempt('open the device to other hosts', () => {
    opened = parts.overlay.open();
  });
  parts.control.tunnel(parts.overlay.ifindex);
  return opened;
}

/**
 * Has the way to other hosts there and open, or gone, after a network has come or gone.
 *
 * @throws VetchError UNSUPPORTED: another device has the port; KernelError
 */
export function followOverlay(parts: HostParts, networks: Iterable<Network>): void {
  const { overlay, control, attachments } = parts;
  const needed = needsTunnel(networks);
  if (!needed) control.tunnel(0);
  if (!overlay.ensure(needed, tunnelOf(parts.facts))) return;
  parts.facts = parts.observeFacts();
  control.know(parts.facts);
  attachments.reconcile(hostDevices, parts.facts, parts.failing('attach a program'), true);
  overlay.open();
  control.tunnel(overlay.ifindex);
}
