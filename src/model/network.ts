/** How a network is built. */
export type DriverName = 'bridge' | 'overlay' | 'macvlan' | 'ipvlan' | 'host' | 'none';

/** One address pool of a network: at most one of each family. */
export interface Subnet {
  /** The prefix, canonical: `10.88.0.0/16`, `fd00:88::/64`. */
  readonly cidr: string;
  /** The host's address in it, or that of the router of the LAN that it is on, without prefix length; canonical. */
  readonly gateway: string;
  /** Where automatic addresses come from; inside `cidr`. Default: all of `cidr`. */
  readonly range?: string;
  /** Addresses that are never handed out, by name (Docker's `--aux-address`). */
  readonly aux: Readonly<Record<string, string>>;
}

/** Who made an object, and so who may remove it. */
export type Owner = 'vetch' | 'docker' | 'cni';

/** The intent of one network, as stored. */
export interface Network {
  /** 64 hex digits; Docker's own id where Docker made it. */
  readonly id: string;
  /** Unique on this host for as long as the network lives: its index in the map `networks`. 1 to 4095; from 2048 on of networks that span hosts, and theirs on all of them. */
  readonly number: number;
  readonly name: string;
  readonly driver: DriverName;
  readonly owner: Owner;
  readonly subnets: readonly Subnet[];
  /** Bytes; 1280 (IPv6) or 576 to 65535. */
  readonly mtu: number;
  readonly internal: boolean;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339 UTC. */
  readonly created: string;
}
