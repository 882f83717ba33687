import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { clashOf } from '../../network/clash.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import type { Context } from '../context.ts';
import { addClusterNetwork, dropNetwork } from '../operations/networks.ts';
import { servicesOf } from '../operations/services.ts';

/** What a host has of its cluster's networks at its start. */
export interface AdmittedNetworks {
  /** All that the host has, its own among them, by id. */
  readonly networks: ReadonlyMap<string, Network>;
  /** Those of the cluster that it goes without, and why. */
  readonly without: ReadonlyMap<string, Missing>;
  /** Those that the cluster does not have any more, and of which the host has endpoints. */
  readonly kept: ReadonlySet<string>;
}

interface Missing {
  readonly network: Network;
  readonly reason: string;
}

/**
 * The cluster's networks on this host. Each that another host makes is built here too, unless something of this host's
 * own is in its way; what another host removes goes, unless this host has endpoints of it.
 */
export class ClusterNetworks {
  readonly #contextOf: () => Context;
  readonly #without: Map<string, Missing>;
  /** They are in the host's own store, so that a restart finds them. */
  readonly #kept: Set<string>;

  /** @param context which has this, once it is there */
  constructor(context: () => Context, { without, kept }: Pick<AdmittedNetworks, 'without' | 'kept'>) {
    this.#contextOf = context;
    this.#without = new Map(without);
    this.#kept = new Set(kept);
  }

  get #context(): Context {
    return this.#contextOf();
  }

  /** All that a new network is planned among: those that this host goes without, too. */
  get all(): Network[] {
    const { networks } = this.#context.state.index;
    return [...networks.values(), ...Array.from(this.#without.values(), ({ network }) => network)];
  }

  /** For `vetch status`. */
  get warnings(): readonly string[] {
    const { networks } = this.#context.state.index;
    const without = Array.from(this.#without.values(), ({ network, reason }) => {
      return `this host goes without network ${network.name} of the cluster: ${reason}`;
    });
    const kept = [...this.#kept].flatMap((id) => networks.get(id)?.name ?? []);
    return [
      ...without,
      ...kept.map(
        (name) => `another host has removed network ${name}, and it goes when its endpoints here are detached`,
      ),
    ];
  }

  /** What other hosts have made and removed. The caller holds the lock. */
  async follow(changes: ReadonlyMap<string, Network | undefined>): Promise<void> {
    for (const [id, network] of changes) if (!network) await this.#lose(id);
    for (const [id, network] of changes) if (network) await this.#gain(id, network);
    if (changes.size > 0) await this.retry();
  }

  /** Builds what this host goes without, where nothing is in its way any more. The caller holds the lock. */
  async retry(): Promise<void> {
    for (const { network } of [...this.#without.values()]) await this.#tryBuild(network);
  }

  /** An endpoint of a network is gone. The caller holds the lock. */
  async left(network: Network): Promise<void> {
    if (this.#kept.has(network.id) && !this.#inUse(network)) await this.#drop(network);
  }

  async #gain(id: string, network: Network): Promise<void> {
    const { state, store } = this.#context;
    const known = state.index.networks.get(id);
    if (!known) return this.#tryBuild(network);
    if (this.#kept.delete(id)) await store.deleteNetwork(id);
    if (JSON.stringify(known) !== JSON.stringify(network)) state.putNetwork(network);
    this.#context.addresses.addNetwork(network);
  }

  async #lose(id: string): Promise<void> {
    const { addresses, log, state, store } = this.#context;
    this.#without.delete(id);
    addresses.removeNetwork(id);
    const network = state.index.networks.get(id);
    if (!network || !spansHosts(network)) return;
    if (!this.#inUse(network)) return this.#drop(network);
    await store.putNetwork(network);
    this.#kept.add(id);
    log.error({ network: network.name }, 'another host has removed a network of which this one has endpoints');
  }

  async #drop(network: Network): Promise<void> {
    const { log } = this.#context;
    try {
      await dropNetwork(this.#context, network);
      this.#kept.delete(network.id);
    } catch (err) {
      log.error({ err, network: network.name }, 'cannot remove a network that another host has removed');
    }
  }

  async #tryBuild(network: Network): Promise<void> {
    const { addresses, applyRemotes, host, log, state } = this.#context;
    const before = this.#without.get(network.id)?.reason;
    let reason = clashOf(network, { networks: state.index.networks.values(), hostRoutes: host.foreignRoutes() });
    try {
      if (reason === undefined) await addClusterNetwork(this.#context, network);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    if (reason === undefined) {
      this.#without.delete(network.id);
      addresses.addNetwork(network);
      await applyRemotes({});
      return;
    }
    this.#without.set(network.id, { network, reason });
    if (reason !== before) log.warn({ network: network.name, reason }, 'goes without a network of the cluster');
  }

  #inUse(network: Network): boolean {
    return this.#context.state.index.endpointsOf(network.id).size + servicesOf(this.#context, network).length > 0;
  }
}

/**
 * What a host has when it starts: its own networks, and the cluster's, but for those that are in the way of its own or
 * its routes, unless it has endpoints of them.
 */
export function admitNetworks(
  own: ReadonlyMap<string, Network>,
  shared: ReadonlyMap<string, Network>,
  endpoints: Iterable<Endpoint>,
  hostRoutes: Parameters<typeof clashOf>[1]['hostRoutes'],
): AdmittedNetworks {
  const used = new Set(Array.from(endpoints, ({ network }) => network));
  const networks = new Map<string, Network>();
  const kept = new Set<string>();
  for (const [id, network] of own) {
    if (!spansHosts(network)) networks.set(id, network);
    else if (!shared.has(id) && used.has(id)) kept.add(id);
    if (kept.has(id)) networks.set(id, network);
  }
  const without = new Map<string, Missing>();
  const first = [...shared].sort(([a], [b]) => Number(used.has(b)) - Number(used.has(a)));
  for (const [id, network] of first) {
    const reason = used.has(id) ? undefined : clashOf(network, { networks: networks.values(), hostRoutes });
    if (reason === undefined) networks.set(id, network);
    else without.set(id, { network, reason });
  }
  return { networks, without, kept };
}
