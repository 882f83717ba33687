import type { Logger } from 'pino';
import type { Endpoint } from '../model/endpoint.ts';
import type { Host } from '../reconcile/host.ts';
import type { RemoteKeys } from '../reconcile/remotes/remote-table.ts';
import type { BackendHealth } from '../service/health.ts';
import type { ClusterStore } from '../store/cluster-contract.ts';
import type { Store } from '../store/contract.ts';
import type { ClusterAddresses } from './cluster/addresses.ts';
import type { ClusterNetworks } from './cluster/networks.ts';
import type { DomainNames } from './domain-names/domain-names.ts';
import type { Mutex } from './mutex.ts';
import type { DaemonOptions } from './options.ts';
import type { PolicyEngine } from './policy-engine.ts';
import type { State } from './state.ts';
import { UndoStack } from './undo-stack.ts';
import type { KeyRotation } from './wireguard/key-rotation.ts';

/** What every operation works with. */
export interface Context {
  readonly options: DaemonOptions;
  readonly log: Logger;
  /** What this host has for itself. */
  readonly store: Store;
  /** What it has in common with others. */
  readonly cluster: ClusterStore;
  readonly state: State;
  readonly host: Host;
  readonly policy: PolicyEngine;
  readonly domainNames: DomainNames;
  /** What this host has of its cluster's networks, and of their addresses. */
  readonly networks: ClusterNetworks;
  readonly addresses: ClusterAddresses;
  /** Has the kernel know what has changed of the other hosts and their endpoints, or waits for a network. The caller holds the lock. */
  readonly applyRemotes: (keys: RemoteKeys) => void | Promise<void>;
  /** Changes of the keys that encrypt between hosts. */
  readonly rotation: Pick<KeyRotation, 'begin' | 'wake' | 'warnings'>;
  /** Whoever changes the intent or the kernel holds it. */
  readonly lock: Mutex;
  /** Of services' backends. */
  readonly health: BackendHealth;
  /** Removes the flows to and from addresses of a network. Never fails. */
  readonly forgetAddresses: (network: number, addresses: readonly string[]) => Promise<void>;
  /** Removes the flows of an endpoint that is gone, so that nobody who gets its address inherits them. Never fails. */
  readonly forgetFlows: (endpoint: Endpoint, network: number) => Promise<void>;
}

/** What the operations on policy work with. */
export type PolicyContext = Pick<Context, 'cluster' | 'lock' | 'log' | 'policy' | 'state'>;

/** An undo stack that tells the log of what it could not undo; the next pass repairs that. */
export function undoStack(context: Context): UndoStack {
  return new UndoStack((what, err) => context.log.error({ err }, `cannot undo: ${what}`));
}
