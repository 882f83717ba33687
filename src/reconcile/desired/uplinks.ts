import { UplinkFlag } from '../../maps/generated/abi.ts';
import { isIPv4 } from '../../model/address.ts';
import type { Network } from '../../model/network.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import type { HostFacts, HostLink } from '../facts.ts';
import {
  handedOverPattern,
  hostDevice,
  hostIfnamePattern,
  lanIfnamePattern,
  overlayDevice,
  shaperDevice,
  wireguardDevices,
} from './devices.ts';

/** Bridges and devices of other container networks: what comes from there is theirs. */
const foreign =
  /^(docker\d+|docker_gwbridge|br-.*|cni.*|podman\d*|virbr.*|lxcbr.*|lxdbr.*|cilium_.*|cali.*|flannel.*|weave.*|kube-.*)$/;

/** Devices that are one with their master: what they receive arrives there. */
const absorbing = new Set(['bond', 'team', 'bridge']);

const none = new Uint8Array(16);

/** The devices that lead out of the host; those that networks name are among them, whatever else is. */
export function uplinksOf(facts: HostFacts, networks: Iterable<Network> = []): HostLink[] {
  const named = new Set<string>();
  for (const network of networks) {
    const { uplink } = planOf(network);
    if (uplink !== undefined) named.add(uplink);
  }
  const own = ownUplinks(facts);
  if (named.size === 0) return own;
  return [...own, ...facts.links.filter((link) => named.has(link.name) && !own.includes(link))];
}

function ownUplinks(facts: HostFacts): HostLink[] {
  const { uplink } = facts;
  if (uplink !== 'auto') return facts.links.filter((link) => uplink.includes(link.name));
  const kinds = new Map(facts.links.map((link) => [link.ifindex, link.kind]));
  const addressed = new Set(facts.addresses.filter((address) => address.global).map((address) => address.ifindex));
  for (const ifindex of facts.defaultRoutes) addressed.add(ifindex);
  return facts.links.filter((link) => {
    if (link.loopback || isOurs(link.name) || foreign.test(link.name)) return false;
    const master = link.master === undefined ? undefined : kinds.get(link.master);
    return addressed.has(link.ifindex) && !(master !== undefined && absorbing.has(master));
  });
}

export function uplinkEntries(facts: HostFacts, networks: Iterable<Network> = []): MapEntry[] {
  return uplinksOf(facts, networks).map((link) => {
    const usable = facts.addresses.filter((address) => address.ifindex === link.ifindex && address.global);
    const pick = (v4: boolean) => {
      const family = usable.filter((address) => isIPv4(address.address) === v4);
      return (family.find((address) => !address.secondary) ?? family[0])?.address ?? none;
    };
    return entryOf('uplinks', link.ifindex, {
      flags: (link.ethernet ? 0 : UplinkFlag.NO_ETHERNET) | (sendsByXdp(link) ? UplinkFlag.XDP_TRANSMITS : 0),
      mtu: link.mtu,
      masquerade4: pick(true),
      masquerade6: pick(false),
    });
  });
}

/** A program that runs after the stack has joined packets, where the driver has refused it, would send those as one. */
export function sendsByXdp({ xdpTransmits = false, xdp }: Pick<HostLink, 'xdpTransmits' | 'xdp'>): boolean {
  return xdpTransmits && xdp?.mode !== 'generic';
}

/** The host device, the shaper, their peers, the devices to other hosts, and what of endpoints' devices is in the host. */
export function isOurs(name: string): boolean {
  const all: readonly string[] = [hostDevice.name, hostDevice.peer, shaperDevice.name, shaperDevice.peer];
  const toOthers: readonly string[] = [overlayDevice.name, ...wireguardDevices];
  if (all.includes(name) || toOthers.includes(name)) return true;
  return hostIfnamePattern.test(name) || handedOverPattern.test(name) || lanIfnamePattern.test(name);
}
