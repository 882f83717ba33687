/** An address and port to listen on. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Paths, unless said otherwise. */
export interface StoreAccess {
  /** Before each of the cluster's keys, without a slash at its end: `/vetch`. */
  readonly prefix: string;
  /** Whose signatures etcd's certificates have; `system`: the authorities that everybody trusts. Absent: without TLS. */
  readonly ca?: string;
  /** This host's own certificate. */
  readonly certificate?: string;
  readonly key?: string;
  /** A name, not a path. */
  readonly user?: string;
  readonly passwordFile?: string;
}

/** What `vetch daemon` was asked to be: flags and the configuration file put together and checked. */
export interface DaemonOptions {
  /** Name of this host in flows and status. Default: the host name. */
  readonly node: string;
  /** Directory of the embedded store and of everything else that outlives the daemon. */
  readonly state: string;
  /** Where the pins lie; a directory on a BPF file system. */
  readonly bpffs: string;
  /** The cgroup whose processes the socket hooks serve; absent: the root of cgroup2, wherever it is mounted. */
  readonly cgroup?: string;
  /** Unix socket of the API. */
  readonly socket: string;
  /** Devices that lead out of the host. */
  readonly uplink: 'auto' | readonly string[];
  /** Directory where Docker looks for plugins' sockets. */
  readonly dockerPlugins: string;
  /** Docker's own socket. */
  readonly dockerEngine: string;
  /** The resolver's directory, to see whether it runs. */
  readonly resolver: string;
  /** `off` of the three above is the word itself. `embedded`, or `etcd://HOST:PORT[,HOST:PORT…]`. */
  readonly store: string;
  /** How etcd is asked; of no use with `embedded`. */
  readonly storeAccess: StoreAccess;
  /** Where `/metrics` is also served by TCP, without authentication. */
  readonly metrics: 'off' | ListenAddress;
  /** The configuration file that was read; absent: there was none. */
  readonly config?: string;
  /** Remove every trace from the kernel, then leave. */
  readonly uninstall: boolean;
  /** Entries of a map, by its name; a map that is not named has its default. Configuration key `map-sizes`. */
  readonly mapSizes: Readonly<Record<string, number>>;
}
