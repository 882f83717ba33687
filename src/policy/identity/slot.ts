import { familyOf } from '../../model/address.ts';
import { addressBits, type Block, type BlockTable } from './blocks.ts';
import { isNamedPortLabel } from './named-port.ts';
import { type PolicyEndpoint, policyLabels, policyNamespace } from './policy-endpoint.ts';
import type { Facts, Profile } from './profile.ts';

/**
 * Whose facts a profile is: one family of an endpoint, an address block of the world, an address of the host, or one that an
 * endpoint has learned.
 */
export interface Slot {
  /** Number of the endpoint; undefined of all others. */
  readonly endpoint: number | undefined;
  /** Of an endpoint on another host: nobody's subject here. */
  readonly remote?: boolean;
  /** Key of the learned address; absent of all others. */
  readonly learned?: string;
  /** The identity that the kernel has for it. */
  readonly seed: number | undefined;
  facts(): Facts;
  /** Of one of an endpoint's families: what both have in common. */
  readonly entry?: EndpointEntry;
  profile: Profile | undefined;
}

/** What of an endpoint's labels and addresses counts, and the identities that the kernel has for endpoints. */
export interface Relevance {
  /** Whether some document asks for labels with this key. */
  isUsed(labelKey: string): boolean;
  readonly blocks: BlockTable;
  readonly seeds: ReadonlyMap<number, { readonly v4: number; readonly v6: number }>;
}

/**
 * An endpoint, and who it is by each of its families. What follows from it is not kept: of each of a cluster's endpoints that
 * would take several times the memory.
 */
export class EndpointEntry {
  endpoint: PolicyEndpoint;
  readonly number: number;
  readonly relevance: Relevance;
  readonly v4: Slot;
  readonly v6: Slot;

  constructor(number: number, endpoint: PolicyEndpoint, relevance: Relevance) {
    this.number = number;
    this.endpoint = endpoint;
    this.relevance = relevance;
    this.v4 = new EndpointSlot(this, 4);
    this.v6 = new EndpointSlot(this, 6);
  }

  /** The longest block that holds its first address of a family. */
  block(family: 4 | 6): Block | undefined {
    const { blocks } = this.relevance;
    const address = blocks.size > 0 && this.endpoint.addresses.find((one) => familyOf(one) === family);
    return address ? blocks.longest(addressBits(address)) : undefined;
  }

  facts(block: Block | undefined): Facts {
    const { endpoint, relevance } = this;
    return {
      party: 'endpoint',
      namespace: policyNamespace(endpoint),
      labels: policyLabels(endpoint, (key) => relevance.isUsed(key)),
      block,
      domains: [],
      onHost: endpoint.driver === 'host',
    };
  }
}

/** One family of an endpoint. */
class EndpointSlot implements Slot {
  readonly entry: EndpointEntry;
  readonly family: 4 | 6;
  profile: Profile | undefined;

  constructor(entry: EndpointEntry, family: 4 | 6) {
    this.entry = entry;
    this.family = family;
    this.profile = undefined;
  }

  get endpoint(): number {
    return this.entry.number;
  }

  get remote(): boolean {
    return this.entry.endpoint.remote === true;
  }

  get seed(): number | undefined {
    const seeds = this.entry.relevance.seeds.get(this.entry.number);
    return this.family === 4 ? seeds?.v4 : seeds?.v6;
  }

  facts(): Facts {
    return this.entry.facts(this.entry.block(this.family));
  }
}

/** Of addresses that no endpoint has. */
export function addressFacts(
  party: 'host' | 'world',
  block: Block | undefined,
  domains: readonly string[] = [],
): Facts {
  return { party, namespace: '', labels: new Map(), block, domains, onHost: false };
}

/** Whether two profiles name the same ports alike. */
export function samePorts(a: Facts, b: Facts): boolean {
  const ports = ({ labels }: Facts): string =>
    JSON.stringify([...labels].filter(([key]) => isNamedPortLabel(key)).sort(([x], [y]) => (x < y ? -1 : 1)));
  return ports(a) === ports(b);
}
