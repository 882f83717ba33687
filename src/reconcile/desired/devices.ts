import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';

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

/** The one ingress filter block of all endpoint veths ('ve'). */
export const sharedBlock = 0x7665;

/** Host ends of endpoint veths are called so, and nothing else is. */
export const hostIfnamePattern = /^vt[0-9a-f]{11}$/;

/** Of a device in the host's network namespace; path below /proc/sys. */
export interface Sysctl {
  readonly path: string;
  readonly value: string;
}

export interface HostRoute {
  /** CIDR. */
  readonly destination: string;
  /** The address that the host's own processes send from. */
  readonly source: string;
}

/** What the host device should look like. */
export interface DesiredHostDevice {
  readonly mtu: number;
  /** CIDR, of full length. */
  readonly addresses: readonly string[];
  readonly routes: readonly HostRoute[];
  readonly sysctls: readonly Sysctl[];
}

export function desiredHostDevice(networks: Iterable<Network>): DesiredHostDevice {
  const all = [...networks];
  const subnets = all.flatMap((network) => network.subnets);
  return {
    mtu: Math.min(...(all.length === 0 ? [hostDevice.defaultMtu] : all.map((network) => network.mtu))),
    addresses: subnets.map((subnet) => gatewayAddress(subnet.gateway)),
    routes: subnets.map((subnet) => ({ destination: subnet.cidr, source: subnet.gateway })),
    sysctls: [
      // A packet for the world that goes by the stack enters here.
      { path: `net/ipv4/conf/${hostDevice.name}/forwarding`, value: '1' },
      { path: `net/ipv6/conf/${hostDevice.name}/forwarding`, value: '1' },
      { path: `net/ipv6/conf/${hostDevice.name}/accept_ra`, value: '0' },
      ...closedDevice(hostDevice.peer),
    ],
  };
}

/** `10.88.0.1/32` or `fd00:88::1/128`: as a gateway stands on the host device, whose routes are its own. */
export function gatewayAddress(gateway: string): string {
  return `${gateway}/${gateway.includes(':') ? 128 : 32}`;
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

/** What one endpoint's veth should look like. */
export interface DesiredEndpointDevice {
  readonly endpoint: Endpoint;
  readonly hostIfname: string;
  readonly ifname: string;
  readonly mac: string;
  readonly mtu: number;
  readonly addresses: readonly string[];
  /** Where the default routes lead; empty of an internal network. */
  readonly gateways: readonly string[];
  /** The sandbox's end keeps IPv6. */
  readonly ipv6: boolean;
}

export function desiredEndpointDevice(endpoint: Endpoint, network: Network): DesiredEndpointDevice {
  const { hostIfname, ifname, mac, addresses } = endpoint;
  const ipv6 = network.subnets.some((subnet) => subnet.cidr.includes(':'));
  const gateways = network.internal ? [] : network.subnets.map((subnet) => subnet.gateway);
  return { endpoint, hostIfname, ifname, mac, mtu: network.mtu, addresses, gateways, ipv6 };
}
