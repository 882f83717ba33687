import type { CreateNetworkRequest } from '../../api/schemas/network.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';

/** An endpoint as libnetwork asks for it. */
export interface EngineEndpoint {
  /** Docker's own; 64 hex digits. */
  readonly id: string;
  /** Id of its network. */
  readonly network: string;
  /** Without prefix length; at most one of each family. */
  readonly addresses: readonly string[];
  /** Absent: made from the id. */
  readonly mac?: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface PoolRequest {
  /** CIDR; absent: a default one that is free. */
  readonly pool?: string;
  /** Where automatic addresses come from; inside `pool`. */
  readonly subPool?: string;
  readonly ipv6: boolean;
  /** Name of the cluster's network whose subnet it is; absent: a network of this host's own is to be made of it. */
  readonly network?: string;
}

export interface AddressRequest {
  readonly pool: string;
  /** Without prefix length; absent: the lowest free one. */
  readonly address?: string;
  /** It is to be a network's gateway. */
  readonly gateway: boolean;
}

/**
 * What the plugin needs of the daemon. Every change is on the disk when its promise resolves, is made wholly or not at all,
 * and does nothing when it was made before; once `signal` is aborted it is not begun, and taken back if it was.
 *
 * Refusals are `VetchError`s.
 */
export interface DockerBackend {
  network(id: string): Network | undefined;
  endpoint(id: string): Endpoint | undefined;
  /** How devices of a network are called in its containers, without their number. */
  interfacePrefix(network: Network): string;

  createNetwork(id: string, request: CreateNetworkRequest, signal: AbortSignal): Promise<void>;
  /** With its endpoints, if the engine has forgotten any. */
  removeNetwork(id: string, signal: AbortSignal): Promise<void>;
  /** Its device is down in the host, called `ifname`; the engine moves it. */
  createEndpoint(request: EngineEndpoint, signal: AbortSignal): Promise<Endpoint>;
  removeEndpoint(id: string, signal: AbortSignal): Promise<void>;
  /** Publishes these SPECs and nothing else. */
  publish(endpoint: string, specs: readonly string[], signal: AbortSignal): Promise<void>;

  /** Holds a subnet that nobody has. */
  requestPool(request: PoolRequest, signal: AbortSignal): Promise<{ readonly id: string; readonly cidr: string }>;
  releasePool(id: string, signal: AbortSignal): Promise<void>;
  /** Holds an address; gives it with its prefix length. */
  requestAddress(request: AddressRequest, signal: AbortSignal): Promise<string>;
  releaseAddress(pool: string, address: string, signal: AbortSignal): Promise<void>;
}
