import type { PolicyDirection } from './decision.ts';

/**
 * Who may talk to whom, compiled: what the kernel holds, entry by entry.
 *
 * A lookup: a standing without the direction's flag allows. Else the pair {subject, peer, direction}, else that of
 * peer 0, which is always there. A decision that is a port set is answered by the set's longest prefix.
 */
export interface PolicyTables {
  /** By endpoint number. */
  readonly standings: ReadonlyMap<number, Standings>;
  /** Canonical CIDR to identity: the world's and the host's addresses that some document's block holds. */
  readonly blocks: ReadonlyMap<string, number>;
  /** By {@link learnedKey}: who an address of the world is to one endpoint, which was told it as a domain name's. */
  readonly learned: ReadonlyMap<string, LearnedIdentity>;
  /** By {@link pairKey}. */
  readonly pairs: ReadonlyMap<string, PolicyPair>;
  /** By number. What a number means never changes. */
  readonly portSets: ReadonlyMap<number, readonly PortEntry[]>;
}

export interface LearnedIdentity {
  readonly identity: number;
  /** The answer's time is over: it counts for flows that are there, and for no new one. */
  readonly expired: boolean;
}

/** Of one endpoint, by the family of the address it talks with. */
export interface Standings {
  readonly v4: Standing;
  readonly v6: Standing;
}

export interface Standing {
  readonly identity: number;
  /** STANDING_INGRESS, STANDING_EGRESS: some document governs what it receives, what it sends; STANDING_NAMES: by domain names, too. */
  readonly flags: number;
}

export interface PolicyPair {
  /** Identity. */
  readonly subject: number;
  /** Identity; 0: any without a pair of its own. */
  readonly peer: number;
  readonly direction: PolicyDirection;
  readonly decision: number;
}

/** One prefix of a port set: the first `bits` bits of `port`. */
export interface PortEntry {
  /** IP protocol number; 0: any, with `bits` 0. Every set has one such entry. */
  readonly protocol: number;
  readonly port: number;
  /** 0 to 16. */
  readonly bits: number;
  /** Never itself a port set. */
  readonly decision: number;
}

export function pairKey(subject: number, peer: number, direction: PolicyDirection): string {
  return `${subject} ${peer} ${direction}`;
}

/** @param address canonical */
export function learnedKey(endpoint: number, address: string): string {
  return `${endpoint} ${address}`;
}
