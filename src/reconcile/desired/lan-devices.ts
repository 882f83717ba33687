import { familyOf, formatAddress, isIPv4, parseMac, withoutLength } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Intent } from '../../model/intent.ts';
import type { Network } from '../../model/network.ts';
import type { LanPlan } from '../../network/drivers/contract.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import type { HostFacts, HostLink } from '../facts.ts';
import type { HostRoute } from './devices.ts';

/** An endpoint's own device on its network's parent, in the host's network namespace. */
export interface LanDevice {
  readonly name: string;
  readonly mac: string;
  readonly plan: LanPlan & { readonly mode: Exclude<LanPlan['mode'], 'shared'> };
  /** For people: what is amiss where it is not there. */
  readonly endpoint: Endpoint;
}

export function lanIfnameOf({ hostIfname }: Pick<Endpoint, 'hostIfname'>): string {
  return `vm${hostIfname.slice(2)}`;
}

/** Undefined of an endpoint that is on no LAN, or shares its parent's MAC. */
export function lanDeviceOf(endpoint: Endpoint, network: Network): LanDevice | undefined {
  const { lan } = planOf(network);
  if (lan === undefined || lan.mode === 'shared') return undefined;
  return { name: lanIfnameOf(endpoint), mac: endpoint.mac, plan: { ...lan, mode: lan.mode }, endpoint };
}

/** Of all endpoints, by the device's name. */
export function lanDevices(intent: Pick<Intent, 'networks' | 'endpoints'>): Map<string, LanDevice> {
  const devices = new Map<string, LanDevice>();
  const joined = new Set<string>();
  for (const network of intent.networks.values()) if (planOf(network).lan) joined.add(network.id);
  if (joined.size === 0) return devices;
  for (const endpoint of intent.endpoints.values()) {
    const network = joined.has(endpoint.network) ? intent.networks.get(endpoint.network) : undefined;
    const device = network && lanDeviceOf(endpoint, network);
    if (device) devices.set(device.name, device);
  }
  return devices;
}

/** Ifindex of the device by which an endpoint reaches its LAN; 0: there is none, or not on the parent that it should be on. */
export function lanIfindexOf(endpoint: Endpoint, network: Network, links: ReadonlyMap<string, HostLink>): number {
  const { lan } = planOf(network);
  if (!lan) return 0;
  if (lan.mode === 'shared') return links.get(lan.parent)?.ifindex ?? 0;
  const link = links.get(lanIfnameOf(endpoint));
  return link !== undefined && link.linkIndex === links.get(lan.parent)?.ifindex ? link.ifindex : 0;
}

/** Parents whose MAC endpoints share. */
export function lanParentEntries(network: Network, links: ReadonlyMap<string, HostLink>): MapEntry[] {
  const { lan } = planOf(network);
  const parent = lan?.mode === 'shared' ? links.get(lan.parent) : undefined;
  if (parent?.mac === undefined) return [];
  return [entryOf('lanParents', parent.ifindex, { mac: parseMac(parent.mac), network: network.number })];
}

/** `eth0.10`: what its VLAN device is made of, where a name says so. */
export function vlanOf(name: string): { readonly base: string; readonly id: number } | undefined {
  const [, base, digits] = /^(.+)\.([0-9]{1,4})$/.exec(name) ?? [];
  const id = Number(digits);
  return base !== undefined && id >= 1 && id <= 4094 ? { base, id } : undefined;
}

/** How the host reaches single endpoints. It speaks under the parent's own address, which the LAN's machines know. */
export function endpointRoutesOf(endpoint: Endpoint, network: Network, facts: HostFacts): HostRoute[] {
  const { endpointRoutes, lan, mtu } = planOf(network);
  if (!endpointRoutes || !lan) return [];
  const parent = facts.links.find(({ name }) => name === lan.parent)?.ifindex;
  const own = facts.addresses.filter(({ ifindex, global, secondary }) => ifindex === parent && global && !secondary);
  return endpoint.addresses.map(withoutLength).map((address) => {
    const family = familyOf(address);
    const source = own.find((candidate) => isIPv4(candidate.address) === (family === 4));
    const destination = `${address}/${family === 4 ? 32 : 128}`;
    return { destination, mtu, ...(source ? { source: formatAddress(source.address) } : {}) };
  });
}
