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
  profile: Profile | undefined;
}

/** An endpoint and what policy derives from it. */
export interface EndpointState {
  readonly endpoint: PolicyEndpoint;
  readonly namespace: string;
  /** Its addresses, as `AddressBits` has them. */
  readonly v4: bigint | undefined;
  readonly v6: bigint | undefined;
}

export interface Relevance {
  /** Whether some document asks for labels with this key. */
  readonly isUsed: (labelKey: string) => boolean;
  readonly blocks: BlockTable;
}

/** @throws VetchError INVALID: an address that is none */
export function endpointState(endpoint: PolicyEndpoint): EndpointState {
  const addresses = endpoint.addresses.map(addressBits);
  const first = (wanted: 4 | 6) => addresses.find(({ family }) => family === wanted)?.bits;
  return { endpoint, namespace: policyNamespace(endpoint), v4: first(4), v6: first(6) };
}

/** One family of an endpoint. There are two for each of a cluster's: no closure, and what both have is in one place. */
export class EndpointSlot implements Slot {
  readonly seed: number | undefined;
  profile: Profile | undefined = undefined;
  readonly #family: 4 | 6;
  readonly #entry: EndpointEntry;

  constructor(entry: EndpointEntry, family: 4 | 6, seed: number | undefined) {
    this.#entry = entry;
    this.#family = family;
    this.seed = seed;
  }

  get endpoint(): number {
    return this.#entry.number;
  }

  get remote(): boolean {
    return this.#entry.remote;
  }

  facts(): Facts {
    const { endpoint, namespace } = this.#entry.state;
    const { isUsed } = this.#entry.relevance;
    return {
      party: 'endpoint',
      namespace,
      // Not kept: of each of a cluster's endpoints they would take as much memory as all else that policy knows of it.
      labels: policyLabels(endpoint, isUsed),
      block: this.longestBlock(),
      domains: [],
      onHost: endpoint.driver === 'host',
    };
  }

  /** The longest block of some document that holds its address. */
  longestBlock(): Block | undefined {
    const { state, relevance } = this.#entry;
    const bits = this.#family === 4 ? state.v4 : state.v6;
    return bits === undefined ? undefined : relevance.blocks.longest({ family: this.#family, bits });
  }
}

/** An endpoint, whatever it is like by now. */
export class EndpointEntry {
  readonly number: number;
  readonly remote: boolean;
  readonly relevance: Relevance;
  readonly v4: EndpointSlot;
  readonly v6: EndpointSlot;
  state: EndpointState;

  constructor(
    number: number,
    state: EndpointState,
    relevance: Relevance,
    seed: { readonly v4: number; readonly v6: number } | undefined,
  ) {
    this.number = number;
    this.remote = state.endpoint.remote === true;
    this.relevance = relevance;
    this.state = state;
    this.v4 = new EndpointSlot(this, 4, seed?.v4);
    this.v6 = new EndpointSlot(this, 6, seed?.v6);
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
