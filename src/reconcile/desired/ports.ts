import type { PortRange } from '../facts.ts';

/** What Linux leaves free by default: above 32768-60999. */
const usual: PortRange = { first: 61000, last: 65535 };
/** With fewer, a busy network runs out: look elsewhere. */
const enough = 1024;

/**
 * The source ports of masqueraded flows: outside of those that the host's own sockets get, so that the two never meet.
 *
 * `overlaps` when the host leaves no such ports; the datapath then asks for a socket before it takes a port.
 */
export function snatPorts(local: PortRange): PortRange & { readonly overlaps: boolean } {
  const above: PortRange = { first: Math.max(usual.first, local.last + 1), last: usual.last };
  if (size(above) >= enough) return { ...above, overlaps: false };
  const below: PortRange = {
    first: Math.max(1024, local.first - size(usual)),
    last: Math.min(local.first - 1, usual.last),
  };
  if (size(below) >= enough) return { ...below, overlaps: false };
  return { ...usual, overlaps: true };
}

function size(range: PortRange): number {
  return range.last - range.first + 1;
}
