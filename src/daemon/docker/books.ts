import { labelKey, textMap } from '../../api/schemas/common.ts';
import type { ContainerFacts, DockerBooks } from '../../integrations/docker/books.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { checkEndpointName, checkNetworkName } from '../../network/names.ts';
import { type Context, undoStack } from '../context.ts';
import { changeEndpoint, dropEndpoint } from '../operations/endpoints.ts';
import { removeDockerNetwork } from './networks.ts';
import type { DockerPools } from './pools.ts';

/** Labels of ours that say which container an endpoint is of. */
const containerLabel = 'vetch.io/container';
const imageLabel = 'vetch.io/image';

const never = new AbortController().signal;

/** Whether the engine has not told yet which container an endpoint is of, and its labels. */
export function awaitsDescription({ owner, labels }: Endpoint): boolean {
  return owner === 'docker' && labels[containerLabel] === undefined;
}

/** What we hold for Docker, for whoever compares it with an engine. */
export function dockerBooks(context: Context, pools: DockerPools): DockerBooks {
  const { lock, state, store } = context;
  const { index } = state;
  const docker = <Owned extends { readonly owner: string }>(all: Iterable<Owned>) =>
    [...all].filter(({ owner }) => owner === 'docker');
  return {
    networks: () => docker(index.networks.values()),
    endpointsOf: (network) => docker(index.endpointsOf(network).values()),
    async confirmNetwork(id, engine, facts) {
      const network = index.networks.get(id);
      if (network && nameOfNetwork(context, network, facts.name) !== network.name) {
        await lock.run(() => renameNetwork(context, id, facts));
      }
      if ((await store.fact(engineFact(id))) !== engine) await store.putFact(engineFact(id), engine);
    },
    async describeEndpoint(id, facts) {
      const before = index.endpoints.get(id);
      if (before?.owner !== 'docker' || described(context, before, facts) === before) return;
      await lock.run(() => describe(context, id, facts));
    },
    engineOf: (network) => store.fact(engineFact(network)),
    async removeNetwork(id) {
      await removeDockerNetwork(context, id, never);
      await store.putFact(engineFact(id), undefined);
    },
    removeEndpoint: (id) =>
      lock.run(async () => {
        const endpoint = index.endpoints.get(id);
        if (endpoint?.owner === 'docker') await dropEndpoint(context, endpoint);
      }),
    releaseUnused: () => pools.releaseUnused(),
  };
}

/** Its name is a namespace of policy, for endpoints that have no other. */
async function renameNetwork(context: Context, id: string, facts: Pick<ContainerFacts, 'name' | 'labels'>) {
  const { host, state, store } = context;
  const before = state.index.networks.get(id);
  if (!before) return;
  const name = nameOfNetwork({ state }, before, facts.name);
  const network: Network = { ...before, name, labels: valid(facts.labels) };
  const endpoints = [...state.index.endpointsOf(id).values()];
  await using undo = undoStack(context);
  undo.push(`restore the policy of network ${before.name}`, () => host.policy.changeEndpoints(endpoints, before));
  await host.policy.changeEndpoints(endpoints, network);
  await store.putNetwork(network);
  undo.commit();
  state.putNetwork(network);
}

/** Docker's name, unless a network that is not Docker's has it. */
function nameOfNetwork({ state }: Pick<Context, 'state'>, network: Network, name: string): string {
  try {
    checkNetworkName(name);
  } catch {
    return network.name;
  }
  const other = state.index.networkNamed(name);
  return other === undefined || other.id === network.id ? name : `${name}.${network.id.slice(0, 12)}`;
}

async function describe(context: Context, id: string, facts: ContainerFacts): Promise<void> {
  const before = context.state.index.endpoints.get(id);
  if (before) await changeEndpoint(context, described(context, before, facts));
}

/**
 * An endpoint with its container's name and labels. Labels are taken once, in the place of the network's default ones: a
 * live container's do not change in Docker, and what was changed here since stays.
 */
function described({ state }: Context, before: Endpoint, facts: ContainerFacts): Endpoint {
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
function valid(labels: ContainerFacts['labels']): Record<string, string> {
  const entries = Object.entries(labels).filter(([key, value]) => {
    return labelKey.safeParse(key).success && textMap.safeParse({ [key]: value }).success;
  });
  return Object.fromEntries(entries);
}

function engineFact(network: string): string {
  return `docker/engine/${network}`;
}
