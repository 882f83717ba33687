import type { DecidedBy } from '../../api/schemas/flow.ts';

/** What is known of the one who has an address. */
export interface FlowPeer {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly identity: number;
}

/** Who is who on this host, asked when an event is shown: an event keeps addresses, not names. */
export interface FlowDirectory {
  /** The endpoint that has an address of a network; network 0 holds every routable address. */
  endpointAt(network: number, address: Uint8Array): FlowPeer | undefined;
  /** One in the host's namespace, which has no address of its own. */
  endpointNumbered?(number: number): FlowPeer | undefined;
  networkName(network: number): string | undefined;
  /** The document and rule that a decision of policy is; null: none, or one that is gone. */
  decidedBy(decision: number): DecidedBy | null;
  /**
   * Goes up with every change of endpoints, labels and networks; until then answers are kept and not asked for again.
   * Default: nothing is kept.
   */
  readonly version?: number;
}
