import type { Endpoint } from '../../model/endpoint.ts';
import type { DriverName, Network } from '../../model/network.ts';

/** What a driver can do. Each line says what follows from it; all are false unless the driver says otherwise. */
export interface DriverCapabilities {
  /** Default false. True: endpoints get a device of their own; false: attaching makes no device and takes no address. */
  readonly devices: boolean;
  /**
   * Default false. True: endpoints live in the host's own network namespace, and each is what runs in a cgroup of its own;
   * false: each has a network namespace of its own.
   */
  readonly cgroups: boolean;
  /** Default false. True: ports can be published, and SPECs are allocated host ports; false: a SPEC is refused. */
  readonly publishing: boolean;
  /** Default false. True: `--internal` is honoured; false: it is refused. */
  readonly internal: boolean;
  /** Default false. True: the network needs subnets, and one is chosen when none is given; false: a subnet is refused. */
  readonly addressing: boolean;
  /**
   * Default false. True: the network shares a parent device's own subnet, so its subnet may overlap host routes;
   * false: an overlap is refused.
   */
  readonly parentDevice: boolean;
  /** Default false. True: a network has one range of addresses on all hosts; false: each host numbers its own. */
  readonly multiHost: boolean;
}

export const noCapabilities: DriverCapabilities = {
  devices: false,
  cgroups: false,
  publishing: false,
  internal: false,
  addressing: false,
  parentDevice: false,
  multiHost: false,
};

/** The names of `enum network_flag` (bpf/abi/network.h) without their prefix: numbers are the codec's business. */
export type NetworkFlagName =
  | 'PRESENT'
  | 'INTERNAL'
  | 'ICC_OFF'
  | 'MASQUERADE4'
  | 'MASQUERADE6'
  | 'UNPROTECTED4'
  | 'UNPROTECTED6'
  | 'ROUTED4'
  | 'ROUTED6'
  | 'STACK'
  | 'LAN'
  | 'VEPA'
  | 'HOST_OFF'
  | 'OVERLAY'
  | 'ENCRYPTED';

export interface Route {
  /** Canonical prefix; `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: string;
  /** Without one the destination is on the link. */
  readonly gateway?: string;
  /** The preferred source address. */
  readonly source?: string;
}

/** How a network is joined to the LAN behind a device of the host. */
export interface LanPlan {
  /** Name of the device; `eth0.10`, where there is none, is VLAN 10 of `eth0`, made for the network. */
  readonly parent: string;
  /**
   * Of each endpoint's own device on the parent; in mode private the kernel carries nothing between two of them. `shared`:
   * it has none, and goes by the parent's MAC.
   */
  readonly mode: 'private' | 'vepa' | 'passthru' | 'shared';
}

/** What a network needs on this host. */
export interface NetworkPlan {
  readonly flags: readonly NetworkFlagName[];
  readonly mtu: number;
  /** The address of each family that answers as gateway. */
  readonly gateway4?: string;
  readonly gateway6?: string;
  /** What packets to the world leave under; default: the uplink's own address. */
  readonly masquerade4?: string;
  readonly masquerade6?: string;
  /** Names of devices by which published ports are reached at the endpoint's own address. They need not be there. */
  readonly trustedInterfaces: readonly string[];
  /** Addresses of the host device, with their full length: `10.88.0.1/32`. */
  readonly hostAddresses: readonly string[];
  /** Routes by the host device. */
  readonly hostRoutes: readonly Route[];
  /** Absent: its endpoints leave by the host. */
  readonly lan?: LanPlan;
  /** A device by which its endpoints leave and are reached, though the host may have no address there. */
  readonly uplink?: string;
  /** The addresses of its subnets are all the network's own; false: others on the LAN have some, and routes lead there. */
  readonly ownsSubnets: boolean;
  /** The host reaches each endpoint by a route of its own, by the host device. */
  readonly endpointRoutes: boolean;
  /** How many endpoints it may have; absent: as many as it has addresses. */
  readonly maxEndpoints?: number;
}

/** What the sandbox of an endpoint needs. */
export interface SandboxPlan {
  readonly ifname: string;
  readonly hostIfname: string;
  readonly mac: string;
  readonly mtu: number;
  /** With prefix length. */
  readonly addresses: readonly string[];
  /** Beside those that the addresses bring. */
  readonly routes: readonly Route[];
  /** Only where the sandbox has none of that family yet: the first network that gives one wins. Empty when internal. */
  readonly defaultRoutes: readonly Route[];
  /** False: IPv6 is switched off on the device, so that it has no link-local address that nobody judges. */
  readonly ipv6: boolean;
  /** Default true. False: the advertisements of a LAN's routers give it routes and no addresses, which nobody would believe. */
  readonly autoconf?: boolean;
}

/** How a network is built: plans, and does nothing. Every driver passes the same tests. */
export interface Driver {
  readonly name: DriverName;
  readonly capabilities: DriverCapabilities;
  /** @throws VetchError INVALID: an unknown option, or a bad value; UNSUPPORTED: one that is not built yet */
  checkNetworkOptions(options: Readonly<Record<string, string>>, internal: boolean): void;
  /** @throws VetchError like {@link Driver.checkNetworkOptions} */
  checkEndpointOptions(options: Readonly<Record<string, string>>): void;
  /** What the network's options say about each of its endpoints. */
  defaults(options: Readonly<Record<string, string>>): NetworkDefaults;
  /** Of a driver with `parentDevice`: whether a network's subnets are its own all the same. Default: they are not. */
  ownsSubnets?(options: Readonly<Record<string, string>>): boolean;
  /** Whether options alone make a network internal. Default: they do not. */
  isInternal?(options: Readonly<Record<string, string>>): boolean;
  /** @throws VetchError IN_USE: what it needs, one of `networks` has for itself alone */
  checkNeighbours?(options: Readonly<Record<string, string>>, networks: Iterable<Network>): void;
  planNetwork(network: Network): NetworkPlan;
  planSandbox(network: Network, endpoint: Endpoint): SandboxPlan;
}

export interface NetworkDefaults {
  /** Bytes; as an option gives it. */
  readonly mtu?: number;
  /** Devices in a sandbox are named so, and a number from 0. */
  readonly ifnamePrefix: string;
  /** Labels of an endpoint that is attached without any. */
  readonly labels: Readonly<Record<string, string>>;
  /** Host address of a SPEC that names none; a specific one publishes for its family alone. Default: both wildcards. */
  readonly hostBinding?: string;
  /** Families whose ports are published at the endpoint's own address, and take none of the host. Default: none. */
  readonly routed: readonly (4 | 6)[];
}
