import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import { maxWeight, type Service, weightLabel } from '../model/service.ts';

/**
 * Which endpoints stand behind which services, kept up to date: a change of one endpoint looks at none of the others, and
 * only at services that ask for a label which it has or had.
 */
export class ServiceSelection {
  readonly #services = new Map<string, Service>();
  readonly #selected = new Map<string, Map<string, Endpoint>>();
  /** Services by their network and the first of their labels. */
  readonly #byLabel = new Map<string, Set<Service>>();
  readonly #byEndpoint = new Map<string, Set<string>>();

  static of({ services, endpoints }: Pick<Intent, 'services' | 'endpoints'>): ServiceSelection {
    const selection = new ServiceSelection();
    if (services.size === 0) return selection;
    for (const service of services.values()) selection.putService(service, []);
    for (const endpoint of endpoints.values()) selection.putEndpoint(endpoint);
    return selection;
  }

  /** @param endpoints those of its network, at least */
  putService(service: Service, endpoints: Iterable<Endpoint>): void {
    this.#services.set(service.id, service);
    this.#selected.set(service.id, new Map());
    const label = firstLabel(service);
    const alike = this.#byLabel.get(label) ?? new Set();
    this.#byLabel.set(label, alike.add(service));
    for (const endpoint of endpoints) if (selects(service, endpoint)) this.#add(service, endpoint);
  }

  deleteService(id: string): void {
    const service = this.#services.get(id);
    if (!service) return;
    this.#services.delete(id);
    for (const endpoint of this.#selected.get(id)?.keys() ?? []) this.#byEndpoint.get(endpoint)?.delete(id);
    this.#selected.delete(id);
    const label = firstLabel(service);
    this.#byLabel.get(label)?.delete(service);
    if (this.#byLabel.get(label)?.size === 0) this.#byLabel.delete(label);
  }

  /** Also replaces. @returns ids of the services that it changes */
  putEndpoint(endpoint: Endpoint): Set<string> {
    const before = new Map(
      [...(this.#byEndpoint.get(endpoint.id) ?? [])].map((id) => [id, this.#weight(id, endpoint.id)]),
    );
    this.deleteEndpoint(endpoint.id);
    const changed = new Set(before.keys());
    if (this.#services.size === 0) return changed;
    for (const [key, value] of Object.entries(endpoint.labels)) {
      for (const service of this.#byLabel.get(labelText(endpoint.network, key, value)) ?? []) {
        if (!selects(service, endpoint)) continue;
        this.#add(service, endpoint);
        if (before.get(service.id) === weightOf(endpoint)) changed.delete(service.id);
        else changed.add(service.id);
      }
    }
    return changed;
  }

  /** @returns ids of the services that lose it */
  deleteEndpoint(id: string): Set<string> {
    const services = this.#byEndpoint.get(id) ?? new Set();
    this.#byEndpoint.delete(id);
    for (const service of services) this.#selected.get(service)?.delete(id);
    return services;
  }

  selected(serviceId: string): Iterable<Endpoint> {
    return this.#selected.get(serviceId)?.values() ?? [];
  }

  #weight(service: string, endpoint: string): number {
    const found = this.#selected.get(service)?.get(endpoint);
    return found ? weightOf(found) : 0;
  }

  #add(service: Service, endpoint: Endpoint): void {
    this.#selected.get(service.id)?.set(endpoint.id, endpoint);
    this.#byEndpoint.set(endpoint.id, (this.#byEndpoint.get(endpoint.id) ?? new Set()).add(service.id));
  }
}

export function selects({ network, select }: Service, endpoint: Endpoint): boolean {
  if (endpoint.network !== network) return false;
  return Object.entries(select).every(([key, value]) => endpoint.labels[key] === value);
}

/** 1 unless its label says otherwise; 0: no new flows. What is no weight counts as 1. */
export function weightOf({ labels }: Pick<Endpoint, 'labels'>): number {
  const text = labels[weightLabel];
  if (text === undefined || !/^\d+$/.test(text)) return 1;
  return Math.min(Number(text), maxWeight);
}

function firstLabel({ network, select }: Service): string {
  const [[key, value] = ['', '']] = Object.entries(select);
  return labelText(network, key, value);
}

function labelText(network: string, key: string, value: string): string {
  return `${network} ${key}=${value}`;
}
