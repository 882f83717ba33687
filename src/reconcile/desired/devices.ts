import type { Network } from '../../model/network.ts';
import type { Route } from '../../network/drivers/contract.ts';
import { planOf } from '../../network/drivers/registry.ts';
import type { HostLink } from '../facts.ts';

/**
 * The host's side of every network: a veth pair whose one end has the gateways' addresses and the routes.
 *
 * The MAC is the same on every host and for good, so that a device that was deleted and made again is still the
 * gateway that containers have in their neighbour tables; nothing outside of a host ever sees it.
 */
export const hostDevice = {
  name: 'vetch0',
  /** Carries the clsact qdisc that keeps the shared filter block alive when there are no endpoints. */
  peer: 'vetch0p',
  mac: '02:76:65:74:63:68',
  peerMac: '02:76:65:74:63:69',
  defaultMtu: 1500,
} as const;

/**
 * The veth pair that packets wait in which a limit delays: they enter by `name`, whose qdisc is fq, and go on where they
 * come out of `peer`. It is there only while some endpoint has a limit, and only where the kernel has fq.
 */
export const shaperDevice = {
  name: 'vetchq0',
  peer: 'vetchq0p',
  mac: '02:76:65:74:63:6b',
  peerMac: '02:76:65:74:63:6c',
  /** Of any network. */
  mtu: 65_535,
} as const;

/**
 * The VXLAN device that leads to other hosts: told with each packet to which, and of which network it is. It is there only
 * while some network spans hosts, and only where the host has an address that others can tunnel to.
 */
export const overlayDevice = {
  name: 'vetchx0',
  mac: '02:76:65:74:63:6d',
  /** Each network has its own. */
  mtu: 65_535,
} as const;

/**
 * WireGuard devices that encrypt what goes to other hosts: one for each key of this host, the second only while the key is
 * changed; each new key is of the other one. They are there only while some network is encrypted.
 */
export const wireguardDevices = ['vetchwg0', 'vetchwg1'] as const;

/** The one ingress filter block of all endpoint veths ('ve'). */
export const sharedBlock = 0x7665;

/** Host ends of endpoint veths are called so, and nothing else is. */
export const hostIfnamePattern = /^vt[0-9a-f]{11}$/;

/** Devices of endpoints on a parent device are called so: as their veths' host ends, but for the first letters. */
export const lanIfnamePattern = /^vm[0-9a-f]{11}$/;

/** The other end of a veth whose engine moves it into the sandbox itself: so called for as long as it is in the host. */
export const handedOverPattern = /^vs[0-9a-f]{11}$/;

/** Of a device in the host's network namespace; path below /proc/sys. */
export interface Sysctl {
  readonly path: string;
  readonly value: string;
}

export interface HostRoute extends Route {
  readonly mtu: number;
}

/** What the host device should look like. */
export interface DesiredHostDevice {
  readonly mtu: number;
  /** CIDR, of full length. */
  readonly addresses: readonly string[];
  readonly routes: readonly HostRoute[];
  readonly sysctls: readonly Sysctl[];
}

/** @param endpointRoutes to single endpoints */
export function desiredHostDevice(
  networks: Iterable<Network>,
  endpointRoutes: Iterable<HostRoute> = [],
): DesiredHostDevice {
  const plans = [...networks].map(planOf);
  return {
    mtu: Math.max(hostDevice.defaultMtu, ...plans.map((plan) => plan.mtu)),
    addresses: plans.flatMap((plan) => plan.hostAddresses),
    // Each with its network's MTU: a redirect drops what is larger than the receiver's device takes.
    routes: [
      ...plans.flatMap((plan) => plan.hostRoutes.map((route) => ({ ...route, mtu: plan.mtu }))),
      ...endpointRoutes,
    ],
    sysctls: [
      // A packet for the world that goes by the stack enters here.
      { path: `net/ipv4/conf/${hostDevice.name}/forwarding`, value: '1' },
      { path: `net/ipv6/conf/${hostDevice.name}/forwarding`, value: '1' },
      { path: `net/ipv6/conf/${hostDevice.name}/accept_ra`, value: '0' },
      ...closedDevice(hostDevice.peer),
    ],
  };
}

/** Whether its sysctls are those of `closedDevice`, by what its link says; a family that is not there is closed. */
export function isClosed({ settings }: Pick<HostLink, 'settings'>): boolean {
  if (!settings) return false;
  const { forwarding4 = 0, forwarding6 = 0, acceptRa = 0, disableIpv6 = 1 } = settings;
  return forwarding4 === 0 && forwarding6 === 0 && acceptRa === 0 && disableIpv6 === 1;
}

/** Sysctls of a device that forwards nothing and has no addresses: a lost program fails closed. */
export function closedDevice(name: string): Sysctl[] {
  return [
    { path: `net/ipv6/conf/${name}/disable_ipv6`, value: '1' },
    { path: `net/ipv6/conf/${name}/accept_ra`, value: '0' },
    { path: `net/ipv6/conf/${name}/forwarding`, value: '0' },
    { path: `net/ipv4/conf/${name}/forwarding`, value: '0' },
  ];
}
