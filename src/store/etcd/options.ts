/** How a cluster is found in etcd, and who asks. */
export interface EtcdAccess {
  /** `HOST:PORT` each; tried in turn. */
  readonly endpoints: readonly string[];
  /** Before every key of the cluster, without a slash at its end: `/vetch`. */
  readonly prefix: string;
  /** Absent: without TLS. */
  readonly tls?: EtcdTls;
  /** Absent: etcd asks for none, or takes the name in the client's certificate. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** PEM. */
export interface EtcdTls {
  /** Absent: the authorities that Node.js comes with. */
  readonly ca?: Buffer;
  readonly certificate?: Buffer;
  readonly key?: Buffer;
}

/** Milliseconds, if not said otherwise. Tests have others. */
export interface EtcdTimes {
  /** For one attempt of a call. */
  readonly attempt: number;
  /** For a call with all its attempts, on all members. */
  readonly call: number;
  /** Between two questions whether a watch is alive. */
  readonly ping: number;
  /** Without an answer a watch counts as dead. */
  readonly silence: number;
  /** Before the first new attempt; doubled after each, up to `longestPause`. */
  readonly pause: number;
  readonly longestPause: number;
  /** Seconds that a host's records outlive it. A third of it passes between two signs of life. */
  readonly lease: number;
  /** Seconds that those of its last run outlive the next one's last sign of life, until that has told its own. */
  readonly start: number;
  /** Seconds that they outlive its orderly end, so that an upgrade cuts nobody off. */
  readonly rest: number;
}

export const defaultTimes: EtcdTimes = {
  attempt: 2_000,
  call: 6_000,
  ping: 2_000,
  silence: 6_000,
  pause: 100,
  longestPause: 3_000,
  lease: 15,
  start: 120,
  rest: 86_400,
};
