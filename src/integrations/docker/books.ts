import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';

/** What an engine knows of a container and the driver protocol does not say. */
export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the engine's follower needs of the daemon. Changes of what is gone meanwhile do nothing. */
export interface DockerBooks {
  /** Docker's. */
  networks(): readonly Network[];
  /** Docker's, of one network. */
  endpointsOf(network: string): readonly Endpoint[];
  /** This engine has the network, under this name. */
  confirmNetwork(
    id: string,
    engine: string,
    facts: { readonly name: string; readonly labels: ContainerFacts['labels'] },
  ): Promise<void>;
  describeEndpoint(id: string, facts: ContainerFacts): Promise<void>;
  /** The engine that last confirmed a network. */
  engineOf(network: string): Promise<string | undefined>;
  removeNetwork(id: string): Promise<void>;
  removeEndpoint(id: string): Promise<void>;
  /** Releases addresses and pools that nothing uses. @returns how many */
  releaseUnused(): Promise<number>;
}
