import type { Owner } from './network.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** One published port: a range is stored as one record a port. */
export interface PublishedPort {
  readonly protocol: Protocol;
  /** Canonical address; `0.0.0.0` and `::` are the wildcards of their family. */
  readonly hostAddress: string;
  /**
   * 1 to 65535; what was left open has been allocated. 0: in a routed network the port is reached at the endpoint's own
   * address, and takes none of the host; `hostAddress` is the wildcard then, and says only the family.
   */
  readonly hostPort: number;
  /** The endpoint's own port, 1 to 65535. */
  readonly port: number;
  /** `cluster`: every host of the cluster leads to the endpoint by it. Absent: only the endpoint's own. */
  readonly scope?: 'cluster';
  /** Of scope `cluster`; `direct`: the endpoint's host answers who asks another one itself. Absent: by the one that was asked. */
  readonly return?: 'direct';
}

/** The intent of one endpoint: a sandbox's attachment to one network, as stored. */
export interface Endpoint {
  /** 64 hex digits. */
  readonly id: string;
  /** 1 to 16383, dense and unique on this host: its index in the map `quotas`. */
  readonly number: number;
  /** Unique in its network. */
  readonly name: string;
  /** Id of its network. */
  readonly network: string;
  readonly owner: Owner;
  /** Name of the device inside the sandbox, as `eth0`; `lo` where the driver gives none; of an engine's endpoint the one that it has until it is moved there. */
  readonly ifname: string;
  /** Name of the host's end of the veth, unique on the host: `vt` and 11 hex digits. Empty: it has no device. */
  readonly hostIfname: string;
  /** Lower case, colons. Empty: it has no device. */
  readonly mac: string;
  /** With prefix length, as on the device: `10.88.0.2/16`; at most one of each family. */
  readonly addresses: readonly string[];
  /**
   * The sandbox: path to its network namespace, as `/var/run/netns/web` or `/proc/42/ns/net`. Empty: only the engine that
   * owns the endpoint knows it, and what is inside is the engine's to make and to repair.
   */
  readonly netns: string;
  readonly cgroup?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly ports: readonly PublishedPort[];
  readonly created: string;
}
