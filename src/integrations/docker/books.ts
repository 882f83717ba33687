import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';

/** What an engine knows of a container and the driver protocol does not say. */
export interface ContainerFacts {
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A container that runs in the host's own network namespace. */
export interface HostContainer extends ContainerFacts {
  /** 64 hex digits. */
  readonly id: string;
  /** Its first process, as the host numbers it; 0: it does not run any more. */
  readonly pid: () => Promise<number>;
}

/** What the engine's follower needs of the daemon. Changes of what is gone meanwhile do nothing. */
export interface DockerBooks {
  /** Docker's. */
  networks(): readonly Pick<Network, 'id' | 'created'>[];
  /** Docker's, of one network. */
  endpointsOf(network: string): readonly Endpoint[];
  /** This engine has the network, under this name. */
  confirmNetwork(
    id: string,
    engine: string,
    facts: { readonly name: string; readonly labels: ContainerFacts['labels'] },
  ): Promise<void>;
  describeEndpoint(id: string, facts: ContainerFacts): Promise<void>;
  /** Whether a container was found in the host's namespace before. */
  isInHost(container: string): boolean;
  /** These, and no others, ran in the host's namespace when the engine was asked. @param asked milliseconds since 1970 */
  followHostContainers(running: readonly HostContainer[], asked: number): Promise<void>;
  /** These have just been started there. */
  takeHostContainers(started: readonly HostContainer[]): Promise<void>;
  /** The engine that last confirmed a network. */
  engineOf(network: string): Promise<string | undefined>;
  removeNetwork(id: string): Promise<void>;
  removeEndpoint(id: string): Promise<void>;
  /** Releases addresses and pools that nothing uses. @returns how many */
  releaseUnused(): Promise<number>;
}
