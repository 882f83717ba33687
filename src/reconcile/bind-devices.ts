import { applyBinding } from './apply/devices.ts';
import { desiredHostDevice, hostDevice } from './desired/devices.ts';
import type { HostLink } from './facts.ts';
import type { HostParts } from './host-parts.ts';
import { observeBlockProgram, observeBlocks } from './observed/devices.ts';
import { planBinding, type WantedDevices } from './plan/devices.ts';

/** Has every endpoint's device bound to the shared block, and the block run our program. */
export function bindDevices(
  parts: HostParts,
  wanted: WantedDevices,
  links: readonly HostLink[],
  made: ReadonlySet<string>,
): void {
  const { netlink } = parts;
  const program = parts.program('from_endpoint');
  const running = observeBlockProgram(netlink);
  for (const step of planBinding(wanted, links, observeBlocks(netlink), running, program.id)) {
    parts.attempt(step.kind, () => applyBinding(netlink, step, program));
    if (!made.has(step.kind === 'set-filter' ? hostDevice.peer : step.link.name)) parts.count('filter', 1);
  }
}

/** The block has its filter: an endpoint that is bound to an empty one would meet no program. */
export function ensureAnchor(parts: HostParts): void {
  const { netlink } = parts;
  if (observeBlockProgram(netlink) === parts.program('from_endpoint').id) return;
  const peer = netlink.link(hostDevice.peer);
  const links = peer ? [{ ...peer, ifindex: peer.index }] : [];
  bindDevices(parts, { host: desiredHostDevice([]), endpoints: new Map() }, links, new Set());
}
