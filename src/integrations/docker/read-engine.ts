import type { DockerBooks } from './books.ts';
import type { EngineClient, EngineContainer } from './engine-client.ts';

/** What an engine has of what we hold for Docker. */
export interface EngineView {
  readonly engine: string;
  /** Ids of its endpoints, by their network's; a network that it has not is missing. */
  readonly endpoints: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Reads what an engine has, and writes names and labels into our books by the way. */
export async function readEngine(client: EngineClient, books: DockerBooks): Promise<EngineView> {
  const engine = await client.id();
  const ours = books.networks();
  const endpoints = new Map<string, ReadonlySet<string>>();
  if (ours.length === 0) return { engine, endpoints };
  const failures: unknown[] = [];
  const containers = new Map((await client.containers()).map((container) => [container.Id, container]));
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

function factsOf({ Names, Image, Labels }: EngineContainer) {
  // Links of old add names of the form /other/alias.
  const name = Names.find((candidate) => candidate.lastIndexOf('/') <= 0) ?? Names[0] ?? '';
  return { name: name.replace(/^\//, ''), image: Image, labels: Labels };
}
