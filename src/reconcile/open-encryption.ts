import type { Network } from '../model/network.ts';
import { needsEncryption, tunnelOf } from './desired/tunnel.ts';
import type { HostParts } from './host-parts.ts';
import { hostDevices } from './open-overlay.ts';

/**
 * Has the devices that encrypt there and open, or gone, after an encrypted network or a key of this host's has come or gone.
 * Where it cannot, `encryption.problem` says why, and nothing of such a network leaves this host.
 */
export function followEncryption(parts: HostParts, networks: Iterable<Network>): void {
  const { encryption, control, attachments } = parts;
  parts.attempt('make the devices that encrypt', () => {
    if (encryption.ensure(needsEncryption(networks), tunnelOf(parts.facts))) {
      parts.facts = parts.observeFacts();
      control.know(parts.facts);
      attachments.reconcile(hostDevices, parts.facts, parts.failing('attach a program'), true);
    }
    encryption.open();
    control.followKeys();
    encryption.syncPeers(control.remotes.nodes);
  });
}

/**
 * Lets packets by the devices that encrypt, after their program is there.
 *
 * @returns how many had been closed, or had addresses
 */
export function openEncryption(parts: HostParts): number {
  let repairs = 0;
  parts.attempt('open the devices that encrypt', () => {
    repairs = parts.encryption.open();
  });
  return repairs;
}

/** @returns how many peers somebody else had changed */
export function syncPeers(parts: HostParts): number {
  let repairs = 0;
  parts.attempt('tell WireGuard who the other hosts are', () => {
    repairs = parts.encryption.syncPeers(parts.control.remotes.nodes);
  });
  return repairs;
}
