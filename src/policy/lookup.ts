import {
  DECISION_PORTS,
  type Decision,
  decodeDecision,
  POLICY_EGRESS,
  type PolicyDirection,
  STANDING_EGRESS,
  STANDING_INGRESS,
  STANDING_NAMES,
  type VerdictKind,
} from './decision.ts';
import { addressBits, BlockTable } from './identity/blocks.ts';
import { learnedKey, type PolicyTables, type PortEntry, pairKey, type Standing } from './tables.ts';

/** What kind of packet is asked about. */
export interface Traffic {
  /** IP protocol number. */
  readonly protocol: number;
  /** Destination port; of a protocol without ports 0. */
  readonly port: number;
}

/** Never a set of ports. */
export type Verdict = Extract<Decision, { kind: VerdictKind }>;

/**
 * What a subject decides about traffic with a peer, as the datapath looks it up; undefined: no document governs it, and
 * it may pass.
 *
 * @throws Error: the tables are not whole
 */
export function lookUp(
  tables: PolicyTables,
  subject: Standing,
  peer: number,
  direction: PolicyDirection,
  traffic: Traffic,
): Verdict | undefined {
  const flag = direction === POLICY_EGRESS ? STANDING_EGRESS : STANDING_INGRESS;
  if ((subject.flags & flag) === 0) return undefined;
  const { pairs, portSets } = tables;
  const pair =
    pairs.get(pairKey(subject.identity, peer, direction)) ?? pairs.get(pairKey(subject.identity, 0, direction));
  if (pair === undefined) throw new Error(`identity ${subject.identity} is governed and has no decision`);
  const decision = decodeDecision(pair.decision);
  if (decision.kind !== DECISION_PORTS) return decision;
  const entry = longestEntry(portSets.get(decision.portSet) ?? [], traffic);
  const answer = entry && decodeDecision(entry.decision);
  if (answer === undefined || answer.kind === DECISION_PORTS) {
    throw new Error(`port set ${decision.portSet} does not answer protocol ${traffic.protocol}, port ${traffic.port}`);
  }
  return answer;
}

function longestEntry(entries: readonly PortEntry[], { protocol, port }: Traffic): PortEntry | undefined {
  let longest: PortEntry | undefined;
  for (const entry of entries) {
    const matches =
      entry.protocol === 0 || (entry.protocol === protocol && (entry.port ^ port) >>> (16 - entry.bits) === 0);
    if (matches && (longest === undefined || length(entry) > length(longest))) longest = entry;
  }
  return longest;
}

function length({ protocol, bits }: PortEntry): number {
  return protocol === 0 ? -1 : bits;
}

/** The identity of an address that no endpoint has. `otherwise`: where no block holds it. */
export function identityOfAddress(tables: PolicyTables, address: string, otherwise: number): number {
  const blocks = new BlockTable();
  for (const cidr of tables.blocks.keys()) blocks.add(cidr);
  const block = blocks.longest(addressBits(address));
  return (block && tables.blocks.get(block.cidr)) ?? otherwise;
}

/** Who an address of the world is to an endpoint that begins a flow with it; undefined: who it is to everybody. */
export function identityOfLearned(
  tables: PolicyTables,
  from: { readonly number: number; readonly standing: Standing },
  address: string,
): number | undefined {
  if ((from.standing.flags & STANDING_NAMES) === 0) return undefined;
  const learned = tables.learned.get(learnedKey(from.number, address));
  return learned === undefined || learned.expired ? undefined : learned.identity;
}
