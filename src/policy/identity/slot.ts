import { type AddressBits, addressBits, type Block, type BlockTable } from './blocks.ts';
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
  readonly facts: () => Facts;
  profile: Profile | undefined;
}

/** An endpoint and what policy derives from it. */
export interface EndpointState {
  readonly endpoint: PolicyEndpoint;
  readonly namespace: string;
  readonly addresses: Readonly<Record<4 | 6, AddressBits | undefined>>;
}

export interface Relevance {
  /** Whether some document asks for labels with this key. */
  isUsed(labelKey: string): boolean;
  readonly blocks: BlockTable;
}

export function endpointState(endpoint: PolicyEndpoint): EndpointState {
  const addresses: Record<4 | 6, AddressBits | undefined> = { 4: undefined, 6: undefined };
  for (const address of endpoint.addresses.map(addressBits)) addresses[address.family] ??= address;
  return { endpoint, namespace: policyNamespace(endpoint), addresses };
}

export function endpointFacts(state: EndpointState, family: 4 | 6, relevance: Relevance): Facts {
  const address = state.addresses[family];
  // Not kept: of each of a cluster's endpoints they would take as much memory as all else that policy knows of it.
  const labels = policyLabels(state.endpoint, (key) => relevance.isUsed(key));
  return {
    party: 'endpoint',
    namespace: state.namespace,
    labels,
    block: address && relevance.blocks.longest(address),
    domains: [],
    onHost: state.endpoint.driver === 'host',
  };
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
