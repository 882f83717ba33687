import { VetchError } from '../../api/error.ts';
import type { TraceHook } from '../../api/schemas/trace.ts';
import { formatMac } from '../../model/address.ts';
import type { TracePlan, TraceSite } from './plan.ts';

/** Devices of endpoints, as the map `interfaces` has them. */
export type InterfaceMacs = Iterable<
  readonly [ifindex: number, { readonly mac: Uint8Array; readonly lanIfindex: number }]
>;

/**
 * A packet as the user gave it, on the device that it belongs to: an endpoint's is told by its source MAC.
 *
 * @throws {VetchError} NOT_FOUND when no device fits.
 */
export function placePacket(
  packet: Uint8Array,
  hook: TraceHook,
  interfaces: InterfaceMacs,
  site: TraceSite,
): TracePlan {
  return { hooks: [hook], ifindex: deviceFor(packet, hook, interfaces, site), packet };
}

function deviceFor(packet: Uint8Array, hook: TraceHook, interfaces: InterfaceMacs, site: TraceSite): number {
  if (hook === 'from_host') return site.hostDevice.ifindex;
  if (hook === 'from_endpoint') {
    const mac = packet.subarray(6, 12);
    for (const [ifindex, found] of interfaces) if (Buffer.compare(found.mac, mac) === 0) return ifindex;
    throw new VetchError(
      'NOT_FOUND',
      `no endpoint has the packet's source MAC ${formatMac(mac)}`,
      'vetch endpoint ls shows their MACs; bytes 6 to 11 of the packet are its source',
    );
  }
  if (hook === 'from_lan' || hook === 'from_parent') {
    const mac = packet.subarray(0, 6);
    const joined = [...interfaces].flatMap(([, found]) => (found.lanIfindex === 0 ? [] : found));
    // What goes to a parent goes to the MAC of all of its endpoints: any of them tells which it is.
    const found = hook === 'from_parent' ? joined[0] : joined.find((one) => Buffer.compare(one.mac, mac) === 0);
    if (found) return found.lanIfindex;
    throw new VetchError(
      'NOT_FOUND',
      `no endpoint on a LAN has the packet's destination MAC ${formatMac(mac)}`,
      'vetch endpoint ls shows their MACs; bytes 0 to 5 of the packet are its destination',
    );
  }
  const uplink = site.uplinks.find(({ mac }) => Buffer.compare(mac, packet.subarray(0, 6)) === 0) ?? site.uplinks[0];
  if (!uplink) throw new VetchError('NOT_FOUND', 'this host has no uplink', 'see --uplink of the daemon');
  return uplink.ifindex;
}
