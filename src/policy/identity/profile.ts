import type { Row } from '../compile/row.ts';
import type { Term } from '../compile/term.ts';
import type { Block } from './blocks.ts';
import type { Slot } from './slot.ts';

export type Party = 'endpoint' | 'host' | 'world' | 'remote-node';

/** All that documents can ask about one party to a packet. */
export interface Facts {
  readonly party: Party;
  /** Empty but for endpoints. */
  readonly namespace: string;
  /** Those with a key that some document uses. */
  readonly labels: ReadonlyMap<string, string>;
  /** The longest block that holds the address. */
  readonly block: Block | undefined;
  /** Patterns of some document's for a domain name that the address was learned by, in one order. */
  readonly domains: readonly string[];
  /** An endpoint in the host's own namespace. */
  readonly onHost: boolean;
}

/** One distinct set of facts: an identity. */
export interface Profile {
  readonly number: number;
  key: string;
  facts: Facts;
  /** Who has it, but for endpoints on other hosts: of a cluster's hundred thousand nobody asks. */
  readonly users: Set<Slot>;
  /** How many have it, with those. */
  count: number;
  /** How many of `users` are endpoints of this host: without any it is nobody's subject, and decides nothing. */
  subjects: number;
  /** The terms of documents that it matches. */
  readonly terms: Set<Term>;
  /** What it decides as a subject; index: POLICY_INGRESS, POLICY_EGRESS. */
  readonly rows: readonly [Row, Row];
}

/** Equal for equal facts. */
export function factsKey({ party, namespace, labels, block, domains, onHost }: Facts): string {
  const sorted = [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([party, namespace, sorted, block?.cidr ?? '', domains, onHost]);
}
