import type { ContainerFacts, DockerBooks } from '../../integrations/docker/books.ts';
import type { Network } from '../../model/network.ts';
import { checkNetworkName } from '../../network/names.ts';
import { type Context, undoStack } from '../context.ts';
import { changeEndpoint, dropEndpoint } from '../operations/endpoints.ts';
import { described, valid } from './described.ts';
import { followHostContainers, ofDocker, takeHostContainers } from './host-containers.ts';
import { removeDockerNetwork } from './networks.ts';
import type { DockerPools } from './pools.ts';

const never = new AbortController().signal;

/** What we hold for Docker, for whoever compares it with an engine. */
export function dockerBooks(context: Context, pools: DockerPools): DockerBooks {
  const { lock, state, store } = context;
  const { index } = state;
  const { joined } = pools;
  const docker = <Owned extends { readonly owner: string }>(all: Iterable<Owned>) =>
    [...all].filter(({ owner }) => owner === 'docker');
  return {
    networks: () => [...docker(index.networks.values()), ...joined.all],
    endpointsOf: (id) => docker(index.endpointsOf(joined.networkOf(id)?.id ?? id).values()),
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
    isInHost: (container) => ofDocker(context).some(({ id }) => id === container),
    followHostContainers: (running, asked) => followHostContainers(context, running, asked),
    takeHostContainers: (started) => takeHostContainers(context, started),
    engineOf: (network) => store.fact(engineFact(network)),
    async removeNetwork(id) {
      await removeDockerNetwork(context, pools, id, never);
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

function engineFact(network: string): string {
  return `docker/engine/${network}`;
}
