import type { DockerBooks, HostContainer } from './books.ts';
import type { EngineClient, EngineContainer } from './engine-client.ts';

/** What an engine has of what we hold for Docker. */
export interface EngineView {
  readonly engine: string;
  /** Ids of its endpoints, by their network's; a network that it has not is missing. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads what an engine has, and writes names and labels into our books by the way. */
export async function readEngine(client: EngineClient, books: DockerBooks): Promise<EngineView> {
  const asked = Date.now();
  const all = await client.containers();
  const failures: unknown[] = [];
  // First: they run already.
  await books
    .followHostContainers(inHostNamespace(client, all, books.isInHost), asked)
    .catch((error) => failures.push(error));
  const engine = await client.id();
  const ours = books.networks();
  const endpoints = new Map<string, ReadonlySet<string>>();
  const containers = new Map(all.map((container) => [container.Id, container]));
  for (const { id } of ours) {
    const network = await client.network(id);
    if (!network) continue;
    await books.confirmNetwork(id, engine, { name: network.Name, labels: network.Labels });
    const entries = Object.entries(network.Containers).map(([key, { EndpointID }]) => [key, EndpointID] as const);
    for (const [key, endpoint] of entries) {
      const container = containers.get(key);
      // One that cannot be described is cut off where there is policy: the others are not to be.
      if (container) await books.describeEndpoint(endpoint, factsOf(container)).catch((error) => failures.push(error));
    }
    endpoints.set(id, new Set(entries.map(([key, endpoint]) => endpoint || key.replace(/^ep-/, ''))));
  }
  if (failures.length > 0) throw failures[0];
  return { engine, endpoints };
}

/** Takes a container that has just been started at once, if it is in the host's namespace: until then it is not under policy. */
export async function takeStarted(client: EngineClient, books: DockerBooks, id: string): Promise<void> {
  const [one] = await client.containers({ id });
  if (!one) return;
  const { NetworkMode } = one.HostConfig;
  if (NetworkMode !== 'host' && !NetworkMode.startsWith('container:')) return;
  const all = NetworkMode === 'host' ? [one] : await client.containers();
  await books.takeHostContainers(
    inHostNamespace(client, all, books.isInHost).filter((container) => container.id === id),
  );
}

/** One that is paused goes on without a start that would be told of. */
const alive = new Set(['running', 'paused']);

/**
 * Those that run there, also by sharing another container's namespace.
 *
 * @param isKnown whether one was there before: the container whose namespace it shares may have been removed since
 */
export function inHostNamespace(
  client: Pick<EngineClient, 'inspect'>,
  containers: readonly EngineContainer[],
  isKnown: (id: string) => boolean,
): HostContainer[] {
  const byRef = new Map(containers.flatMap((one) => [one.Id, factsOf(one).name].map((ref) => [ref, one] as const)));
  const isInHost = (one: EngineContainer | undefined, depth = 0): boolean => {
    const mode = one?.HostConfig.NetworkMode ?? '';
    if (!mode.startsWith('container:') || depth > 8) return mode === 'host';
    const other = byRef.get(mode.slice('container:'.length));
    return other ? isInHost(other, depth + 1) : one !== undefined && isKnown(one.Id);
  };
  return containers
    .filter((one) => alive.has(one.State) && isInHost(one))
    .map((one) => ({
      ...{ ...factsOf(one), id: one.Id },
      async pid() {
        const State = (await client.inspect(one.Id))?.State;
        return State?.Running ? State.Pid : 0;
      },
    }));
}

function factsOf({ Names, Image, Labels }: EngineContainer) {
  // Links of old add names of the form /other/alias.
  const name = Names.find((candidate) => candidate.lastIndexOf('/') <= 0) ?? Names[0] ?? '';
  return { name: name.replace(/^\//, ''), image: Image, labels: Labels };
}
