import type { ClusterRecords } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import { EndpointIndex } from '../network/endpoint-index.ts';
import { NumberPool } from '../network/number-pool.ts';
import { ServiceSelection } from '../service/selection.ts';
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
  /** Which endpoints stand behind which services. */
  readonly selection: ServiceSelection;
  readonly serviceNumbers = new NumberPool('services', 1, 4095);
  #onSelection: (services: ReadonlySet<string>) => void = () => {};

  constructor(intent: Intent) {
    this.index = new IntentIndex(intent);
    this.taken = EndpointIndex.of(intent);
    this.selection = ServiceSelection.of(intent);
    for (const service of intent.services.values()) this.#take(service);
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
    this.#onSelection(this.selection.putEndpoint(endpoint));
  }

  deleteEndpoint(id: string): void {
    this.index.deleteEndpoint(id);
    this.taken.removeEndpoint(id);
    this.#onSelection(this.selection.deleteEndpoint(id));
  }

  putService(service: Service): void {
    this.index.putService(service);
    this.selection.putService(service, this.index.endpointsOf(service.network).values());
    this.#take(service);
  }

  deleteService(id: string): void {
    const service = this.index.services.get(id);
    if (!service) return;
    this.index.deleteService(id);
    this.selection.deleteService(id);
    this.serviceNumbers.release(service.number);
    for (const pool of this.taken.network(service.network)?.pools ?? []) pool.release(service.vip);
  }

  /** Calls `listener` with the services whose endpoints have changed, if any, at once. */
  onSelection(listener: (services: ReadonlySet<string>) => void): void {
    this.#onSelection = listener;
  }

  /** The address of a service is never handed out. */
  #take(service: Service): void {
    this.serviceNumbers.take(service.number);
    for (const pool of this.taken.network(service.network)?.pools ?? []) pool.take(service.vip);
  }

  /** The network of an endpoint: what is stored never lacks it. */
  networkOf(endpoint: Endpoint): Network {
    const network = this.index.networks.get(endpoint.network);
    if (!network) throw new Error(`endpoint ${endpoint.name} belongs to a network that is not there`);
    return network;
  }
}
