import { eth, ipv4, ipv6, type Layer, packet, payload } from '../packet/build.ts';
import type { Decoded } from '../packet/decode.ts';
import {
  type EndpointName,
  endpoints,
  hostDevice,
  lanDeviceOf,
  lanMachine,
  overlay,
  type RemoteName,
  remotes,
  uplink,
  world,
} from '../world/plan.ts';
import type { HookName, Outcome, ReasonName, World } from '../world/world.ts';

export type Family = 4 | 6;
export const families: readonly Family[] = [4, 6];

/** What one packet has to meet. */
export interface Step {
  readonly hook: HookName;
  readonly device: string;
  readonly receivedOn?: string;
  /** May depend on what came out of the steps before. */
  readonly packet: Uint8Array | ((before: readonly Decoded[]) => Uint8Array);
  readonly verdict: Outcome['verdict'];
  /** Counted once; nothing else is counted. Default: nothing is. */
  readonly reason?: ReasonName;
  /** Parts of the packet as the program leaves it. Its checksums are right whatever this says. */
  readonly out?: object;
  /** Runs after this step, before the next. */
  readonly afterwards?: (world: World) => void;
}

/** A promise about a packet, or about some in a row that make a flow. */
export interface PacketCase {
  readonly name: string;
  /** Changes the world for this case; it is as planned again after it. */
  readonly prepare?: (world: World) => void;
  readonly steps: readonly Step[];
}

/** An IP header of a family between two addresses. */
export function ip(
  family: Family,
  source: string,
  destination: string,
  fields: { ttl?: number; tos?: number } = {},
): Layer {
  const { ttl, tos } = fields;
  if (family === 4) return ipv4({ source, destination, ...fields });
  return ipv6({
    source,
    destination,
    ...(ttl === undefined ? {} : { hopLimit: ttl }),
    ...(tos === undefined ? {} : { trafficClass: tos }),
  });
}

const everybody = { ...endpoints, ...remotes };

export function addressOf(who: EndpointName | RemoteName | 'host' | 'world' | 'gateway', family: Family): string {
  if (who === 'host') return family === 4 ? uplink.ip4 : uplink.ip6;
  if (who === 'world') return family === 4 ? world.ip4 : world.ip6;
  if (who === 'gateway') return family === 4 ? uplink.gateway4 : uplink.gateway6;
  return family === 4 ? everybody[who].ip4 : everybody[who].ip6;
}

export type Content = readonly [Layer, ...Layer[]];

/** What an endpoint sends to another of its network, as Ethernet has it. */
export function between(
  from: EndpointName | RemoteName,
  to: EndpointName | RemoteName,
  family: Family,
  ...content: Content
): Uint8Array {
  return packet(
    eth({ source: everybody[from].mac, destination: everybody[to].mac }),
    ip(family, addressOf(from, family), addressOf(to, family)),
    ...content,
  );
}

/** What an endpoint sends by its gateway. */
export function viaGateway(from: EndpointName, to: string, family: Family, ...content: Content): Uint8Array {
  return packet(
    eth({ source: endpoints[from].mac, destination: hostDevice.mac }),
    ip(family, addressOf(from, family), to),
    ...content,
  );
}

/** What the host's next hop hands to the host. */
export function fromOutside(source: string, to: string, family: Family, ...content: Content): Uint8Array {
  return packet(eth({ source: uplink.gatewayMac, destination: uplink.mac }), ip(family, source, to), ...content);
}

/** What the host sends by the host device. */
export function fromHost(source: string, to: string, family: Family, ...content: Content): Uint8Array {
  return packet(eth({ source: hostDevice.mac, destination: hostDevice.mac }), ip(family, source, to), ...content);
}

/** A step at an endpoint's hook. */
export function sends(
  from: EndpointName,
  bytes: Step['packet'],
  expected: Omit<Step, 'hook' | 'device' | 'packet'>,
): Step {
  return { hook: 'from_endpoint', device: endpoints[from].device, packet: bytes, ...expected };
}

/** What a machine of the LAN sends to an endpoint, as Ethernet has it. */
export function fromLan(to: EndpointName, family: Family, ...content: Content): Uint8Array {
  const { mac, ip4, ip6 } = endpoints[to];
  return packet(
    eth({ source: lanMachine.mac, destination: mac }),
    family === 4 ? ip(4, lanMachine.ip4, ip4) : ip(6, lanMachine.ip6, ip6),
    ...content,
  );
}

/** A step at the device that an endpoint has on its network's parent. */
export function lanSends(
  to: EndpointName,
  bytes: Step['packet'],
  expected: Omit<Step, 'hook' | 'device' | 'packet'>,
): Step {
  return { hook: 'from_lan', device: lanDeviceOf(endpoints[to]) ?? '', packet: bytes, ...expected };
}

export function arrives(bytes: Step['packet'], expected: Omit<Step, 'hook' | 'device' | 'packet'>): Step {
  return { hook: 'from_uplink', device: uplink.device, packet: bytes, ...expected };
}

/** What a tunnel carries: a frame of a network. */
export function vxlan(vni: number, frame: Uint8Array, flags = 0x08): Layer {
  return payload(Uint8Array.of(flags, 0, 0, 0, vni >> 16, vni >> 8, vni, 0, ...frame));
}

/** A step at the overlay's device. A run brings no tunnel along: what is decided by it is in test/kernel/overlay. */
export function tunnelBrings(bytes: Step['packet'], expected: Omit<Step, 'hook' | 'device' | 'packet'>): Step {
  return { hook: 'from_overlay', device: overlay.device, packet: bytes, ...expected };
}

export function hostSends(bytes: Step['packet'], expected: Omit<Step, 'hook' | 'device' | 'packet'>): Step {
  return { hook: 'from_host', device: hostDevice.device, packet: bytes, ...expected };
}
