import type { Labels } from './policy.ts';

/** What of an endpoint's labels says how large a share of a service's new flows it gets. */
export const weightLabel = 'vetch.io/weight';

export const maxWeight = 1000;

export interface ServicePort {
  readonly protocol: 'tcp' | 'udp';
  /** At the virtual address, 1 to 65535. */
  readonly port: number;
  /** Of the backends. */
  readonly targetPort: number;
}

/** `path` begins with a slash; absent: a TCP connection is enough. */
export interface HealthCheck {
  readonly path?: string;
}

/** One virtual address in front of the endpoints of a network that have certain labels, as stored. */
export interface Service {
  /** 64 hex digits. */
  readonly id: string;
  /** 1 to 4095, unique on this host for as long as the service lives. */
  readonly number: number;
  /** Unique in its network. */
  readonly name: string;
  /** Id of its network. */
  readonly network: string;
  /** The virtual address, canonical, without prefix length: one of the network's that no endpoint has. */
  readonly vip: string;
  readonly ports: readonly ServicePort[];
  /** An endpoint needs all of them; at least one. */
  readonly select: Labels;
  readonly algorithm: 'maglev' | 'random';
  /** Seconds for which a client keeps its backend; 0: none. */
  readonly affinity: number;
  readonly health?: HealthCheck;
  readonly created: string;
}
