import type { ClusterRecords } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { EndpointIndex } from '../network/endpoint-index.ts';
import type { Store } from '../store/contract.ts';
import { IntentIndex } from './intent-index.ts';

/** What this host has for itself, under what the cluster says. */
export async function loadIntent(
  store: Store,
  { policies, namespaces, nodes, endpoints }: Pick<ClusterRecords, 'policies' | 'namespaces' | 'nodes' | 'endpoints'>,
): Promise<Intent> {
  return { ...(await store.load()), policies, namespaces, nodes, remotes: endpoints };
}

/** The intent in memory: to find things in, and to plan new ones among. It changes after the store has. */
export class State {
  readonly index: IntentIndex;
  /** What all endpoints have taken. */
  readonly taken: EndpointIndex;

  constructor(intent: Intent) {
    this.index = new IntentIndex(intent);
    this.taken = EndpointIndex.of(intent);
  }

  putNetwork(network: Network): void {
    this.index.putNetwork(network);
    this.taken.addNetwork(network);
  }

  deleteNetwork(id: string): void {
    this.index.deleteNetwork(id);
    this.taken.removeNetwork(id);
  }

  /** Also replaces one. */
  putEndpoint(endpoint: Endpoint): void {
    this.index.putEndpoint(endpoint);
    this.taken.addEndpoint(endpoint);
  }

  deleteEndpoint(id: string): void {
    this.index.deleteEndpoint(id);
    this.taken.removeEndpoint(id);
  }

  /** The network of an endpoint: what is stored never lacks it. */
  networkOf(endpoint: Endpoint): Network {
    const network = this.index.networks.get(endpoint.network);
    if (!network) throw new Error(`endpoint ${endpoint.name} belongs to a network that is not there`);
    return network;
  }
}
