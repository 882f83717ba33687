import type { Endpoint } from './endpoint.ts';
import type { Network } from './network.ts';

/** Everything that the user has asked of this host: the one input of `desired`. */
export interface Intent {
  readonly networks: ReadonlyMap<string, Network>;
  readonly endpoints: ReadonlyMap<string, Endpoint>;
  /** Prefixes of the XDP deny list, canonical CIDR. */
  readonly deny: ReadonlySet<string>;
}
