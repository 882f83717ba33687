import { labelKey, textMap } from '../../api/schemas/common.ts';
import type { ContainerFacts } from '../../integrations/docker/books.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { checkEndpointName } from '../../network/names.ts';
import type { Context } from '../context.ts';

/** Labels of ours that say which container an endpoint is of. */
const containerLabel = 'vetch.io/container';
const imageLabel = 'vetch.io/image';

/** Whether the engine has not told yet which container an endpoint is of, and its labels. */
export function awaitsDescription({ owner, labels }: Endpoint): boolean {
  return owner === 'docker' && labels[containerLabel] === undefined;
}

/**
 * An endpoint with its container's name and labels. Labels are taken once, in the place of the network's default ones: a
 * live container's do not change in Docker, and what was changed here since stays.
 */
export function described({ state }: Context, before: Endpoint, facts: ContainerFacts): Endpoint {
  const name = nameOfEndpoint(state, before, facts.name);
  const known = before.labels[containerLabel];
  if (known === facts.name) return name === before.name ? before : { ...before, name };
  if (known !== undefined) return { ...before, name, labels: { ...before.labels, [containerLabel]: facts.name } };
  const network = state.networkOf(before);
  const defaults = driverOf(network).defaults(network.options).labels;
  const set = Object.entries(before.labels).filter(([key, value]) => defaults[key] !== value);
  const labels = { ...facts.labels, [imageLabel]: facts.image, [containerLabel]: facts.name };
  return { ...before, name, labels: { ...valid(labels), ...Object.fromEntries(set) } };
}

function nameOfEndpoint(state: Context['state'], endpoint: Endpoint, name: string): string {
  try {
    checkEndpointName(name);
  } catch {
    return endpoint.name;
  }
  const holder = state.taken.network(endpoint.network)?.names.get(name);
  return holder === undefined || holder === endpoint.id ? name : endpoint.name;
}

/** Without those that could break a line of output. */
export function valid(labels: ContainerFacts['labels']): Record<string, string> {
  const entries = Object.entries(labels).filter(([key, value]) => {
    return labelKey.safeParse(key).success && textMap.safeParse({ [key]: value }).success;
  });
  return Object.fromEntries(entries);
}
