import type { Logger } from 'pino';
import type { ClusterRecords } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import { leanEndpoint } from '../model/lean-endpoint.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import { EndpointIndex } from '../network/endpoint-index.ts';
import { NumberPool } from '../network/number-pool.ts';
import type { HostRoute } from '../network/overlap.ts';
import { ServiceSelection } from '../service/selection.ts';
import type { Store } from '../store/contract.ts';
import { type AdmittedNetworks, admitNetworks } from './cluster/networks.ts';
import { IntentIndex } from './intent-index.ts';

/** What this host has for itself, and what the cluster says. */
export async function loadIntent(
  store: Store,
  { networks: shared, policies, namespaces, nodes, endpoints: remotes }: ClusterRecords,
  hostRoutes: readonly HostRoute[],
  log: Logger,
): Promise<{ readonly intent: Intent; readonly admitted: AdmittedNetworks }> {
  const own = await store.load();
  const admitted = admitNetworks(own.networks, shared, own.endpoints.values(), hostRoutes);
  const { networks } = admitted;
  // A crash between what another host did to a network and what this one does about it leaves what belongs to nothing.
  const orphans = [...own.endpoints.values(), ...own.services.values()].filter(({ network }) => !networks.has(network));
  const forgotten = [...own.networks.keys()].filter((id) => !networks.has(id) || shared.has(id));
  await store.transaction((writer) => {
    for (const id of forgotten) writer.deleteNetwork(id);
    for (const { id } of orphans) {
      writer.deleteEndpoint(id);
      writer.deleteService(id);
    }
  });
  for (const { name } of orphans) log.error({ name }, 'lost with its network, which another host has removed');
  const lost = new Set(orphans.map(({ id }) => id));
  const services = new Map([...own.services].filter(([id]) => !lost.has(id)));
  const endpoints = new Map<string, Endpoint>();
  for (const [id, endpoint] of own.endpoints) {
    if (!lost.has(id)) endpoints.set(id, leanEndpoint(endpoint, networks.get(endpoint.network)?.id));
  }
  const intent = { ...own, networks, endpoints, services, policies, namespaces, nodes, remotes };
  return { intent, admitted };
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
  #onEndpoint: (id: string, endpoint: Endpoint | undefined) => void = () => {};

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
    this.#onEndpoint(endpoint.id, endpoint);
  }

  deleteEndpoint(id: string): void {
    this.index.deleteEndpoint(id);
    this.taken.removeEndpoint(id);
    this.#onSelection(this.selection.deleteEndpoint(id));
    this.#onEndpoint(id, undefined);
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

  /** Calls `listener` with each endpoint that is put, and the id of each that is deleted. */
  onEndpoint(listener: (id: string, endpoint: Endpoint | undefined) => void): void {
    this.#onEndpoint = listener;
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
