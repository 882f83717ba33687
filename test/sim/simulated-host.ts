import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { changeHolding } from '../../src/daemon/change-cluster.ts';
import { ClusterAddresses } from '../../src/daemon/cluster/addresses.ts';
import { ClusterNetworks } from '../../src/daemon/cluster/networks.ts';
import type { Context } from '../../src/daemon/context.ts';
import { ClusterFollowing } from '../../src/daemon/follow-cluster.ts';
import { Mutex } from '../../src/daemon/mutex.ts';
import { addEndpoint } from '../../src/daemon/operations/attach-endpoint.ts';
import { detachEndpoint, labelEndpoint } from '../../src/daemon/operations/endpoints.ts';
import { createNetwork, removeNetwork } from '../../src/daemon/operations/networks.ts';
import { applyPolicies, deletePolicy } from '../../src/daemon/operations/policies.ts';
import type { DaemonOptions } from '../../src/daemon/options.ts';
import { publishAll, publishNode } from '../../src/daemon/own-node.ts';
import { loadIntent, State } from '../../src/daemon/state.ts';
import type { ClusterEndpoint } from '../../src/model/cluster.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { planEndpoint } from '../../src/network/plan-endpoint.ts';
import { ClusterCache } from '../../src/store/cluster-cache.ts';
import type { ClusterStore } from '../../src/store/cluster-contract.ts';
import { type EmbeddedStore, openEmbeddedStore } from '../../src/store/embedded.ts';
import { openEtcdCluster } from '../../src/store/etcd/open.ts';
import { settleText } from '../../src/store/settle-text.ts';
import { MemoryHost } from './memory-host.ts';

export interface HostOptions {
  readonly name: string;
  /** Of its uplink. */
  readonly address: string;
  /** `HOST:PORT` of etcd. */
  readonly endpoints: readonly string[];
  /** A directory for the states of all hosts. */
  readonly directory: string;
  /** Keeps the cluster's copy on its disk, as a host does. */
  readonly cache: boolean;
  /** Told of what a host would write into its log as a warning or an error. */
  readonly warn: (line: string) => void;
}

export const prefix = '/vetch';

interface Parts {
  readonly host: MemoryHost;
  readonly context: Context;
  readonly following: ClusterFollowing;
  /** Milliseconds until it was in step. */
  readonly started: number;
}

/** A host of a cluster: its control plane is the daemon's, put together as src/daemon/start.ts does, on a {@link MemoryHost}. */
export class SimulatedHost implements AsyncDisposable {
  readonly host: MemoryHost;
  readonly context: Context;
  readonly started: number;
  readonly #following: ClusterFollowing;
  #sandboxes = 0;

  private constructor({ host, context, following, started }: Parts) {
    this.host = host;
    this.context = context;
    this.started = started;
    this.#following = following;
  }

  /** @param opened told of the host before anything is in its maps */
  static async start(options: HostOptions, opened: (host: MemoryHost) => void = () => {}): Promise<SimulatedHost> {
    const began = performance.now();
    const { name: node, address, warn } = options;
    const log = pino({ level: 'warn', base: { node } }, { write: warn });
    const store = await openEmbeddedStore(join(options.directory, node));
    const cluster = await joinCluster(options, store, log);
    const shared = await cluster.load();
    const { intent, admitted } = await loadIntent(store, shared, [], log);
    const state = new State(intent);
    const host = await MemoryHost.open(node, address, (what, err) => log.error({ err }, `cannot ${what}`));
    opened(host);
    await host.reconcile(state.index);
    const lock = new Mutex();
    const daemon = { node } as DaemonOptions;
    const addresses = new ClusterAddresses({ cluster, lock, log, state, options: daemon }, shared);
    // Of the datapath the operations ask for no more than a MemoryHost has.
    const context: Context = {
      ...{ options: daemon, log, store, cluster, state, lock, addresses },
      ...{
        host: host as never,
        policy: host.policy,
        domainNames: undefined as never,
        rotation: undefined as never,
        health: undefined as never,
      },
      ...{
        networks: new ClusterNetworks(() => context, admitted),
        applyRemotes: (keys) => {
          const remotes = [...(keys.remotes ?? [])];
          for (const key of remotes) settleTextsOf(state.index.remotes.get(key));
          return host.applyRemotes(state.index, { ...keys, remotes });
        },
      },
      ...{ forgetAddresses: async () => {}, forgetFlows: async () => {} },
    };
    const following = new ClusterFollowing(context);
    publishAll(context);
    addresses.wake();
    return new SimulatedHost({ host, context, following, started: performance.now() - began });
  }

  /** Ends in order. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { addresses, cluster, store } = this.context;
    await addresses[Symbol.asyncDispose]();
    await this.#following[Symbol.asyncDispose]();
    await cluster.close();
    await store.close();
  }

  /** Endpoints of all hosts that are in its maps. */
  get known(): number {
    return this.host.control.remotes.placed.size + this.context.state.index.endpoints.size;
  }

  /** As `vetch endpoint attach`, but for the sandbox. */
  attach(network: string, labels: Readonly<Record<string, string>>): Promise<Endpoint> {
    const { context } = this;
    const { addresses, state } = context;
    const id = randomBytes(32).toString('hex');
    return changeHolding(context, id, async (claim) => {
      const chosen = this.#network(network);
      const request = {
        ...{ network: chosen.id, netns: `/run/netns/${++this.#sandboxes}`, labels, options: {}, publish: [] },
        addresses: [...addresses.choose(chosen, [], claim)],
      };
      const endpoint = planEndpoint(request, { network: chosen, endpoints: state.taken, id });
      addresses.hold(chosen, endpoint.addresses, claim);
      await addEndpoint(context, endpoint, chosen, {});
      return endpoint;
    });
  }

  detach(id: string): Promise<void> {
    return detachEndpoint(this.context, id);
  }

  async label(id: string, set: Readonly<Record<string, string>>): Promise<void> {
    await labelEndpoint(this.context, id, { set, remove: [] });
  }

  async applyPolicy(text: string): Promise<void> {
    await applyPolicies(this.context, { text, file: 'simulation' });
  }

  deletePolicy(name: string, namespace: string): Promise<void> {
    return deletePolicy(this.context, name, namespace);
  }

  async createNetwork(name: string, subnet: string): Promise<void> {
    const bare = { gateways: [], auxAddresses: {}, ipv6: false, internal: false, options: {}, labels: {} };
    await createNetwork(this.context, { ...bare, name, driver: 'overlay', subnets: [subnet] });
  }

  removeNetwork(name: string): Promise<void> {
    return removeNetwork(this.context, name);
  }

  /** What a daemon does every 30 s; gives how many entries were not what they should be. */
  async pass(): Promise<number> {
    const { context, host } = this;
    const repairs = await context.lock.run(async () => {
      const repaired = await host.reconcile(context.state.index);
      await context.networks.retry();
      return repaired;
    });
    publishNode(context);
    return repairs;
  }

  #network(name: string) {
    const network = this.context.state.index.networkNamed(name);
    if (!network) throw new Error(`${this.context.options.node} has no network ${name}`);
    return network;
  }
}

/** What all hosts of a process keep lies in it once: it is a hundred times as much where there is a host a process. */
function settleTextsOf(remote: ClusterEndpoint | undefined): void {
  for (const text of remote ? [remote.name, remote.mac, ...remote.addresses] : []) settleText(text);
}

function joinCluster(
  { name: node, endpoints, cache }: HostOptions,
  store: EmbeddedStore,
  log: Logger,
): Promise<ClusterStore> {
  return openEtcdCluster({
    ...{ endpoints, prefix, node, instance: node },
    ...(cache ? { cache: new ClusterCache(store) } : {}),
    failed: (what, err) => log.warn({ err }, `cannot ${what}`),
  });
}
