import type { Network } from '../../model/network.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import type { Context } from '../context.ts';

const facts = 'docker/joined/';

/** A network of an engine's that stands for one of the cluster. */
export interface JoinedNetwork {
  /** Docker's; 64 hex digits. Another host's engine has another one. */
  readonly id: string;
  /** Name of the cluster's network. */
  readonly network: string;
  /** RFC 3339 UTC. */
  readonly created: string;
}

/** The networks of the cluster that this host's engine has joined, each once; on the disk. */
export class JoinedNetworks {
  readonly #context: Pick<Context, 'state' | 'store'>;
  readonly #all = new Map<string, JoinedNetwork>();

  private constructor(context: Pick<Context, 'state' | 'store'>) {
    this.#context = context;
  }

  static async load(context: Pick<Context, 'state' | 'store'>): Promise<JoinedNetworks> {
    const joined = new JoinedNetworks(context);
    for (const [id, text] of await context.store.facts(facts)) joined.#all.set(id, JSON.parse(text) as JoinedNetwork);
    return joined;
  }

  get all(): readonly JoinedNetwork[] {
    return [...this.#all.values()];
  }

  get(id: string): JoinedNetwork | undefined {
    return this.#all.get(id);
  }

  named(network: string): JoinedNetwork | undefined {
    return this.all.find((joined) => joined.network === network);
  }

  /** The cluster's network, unless the cluster has lost it. */
  networkOf(id: string): Network | undefined {
    const joined = this.#all.get(id);
    const network = joined && this.#context.state.index.networkNamed(joined.network);
    return network && spansHosts(network) ? network : undefined;
  }

  /** The caller holds the lock. */
  async add(id: string, network: string): Promise<void> {
    const joined: JoinedNetwork = { id, network, created: new Date().toISOString() };
    await this.#context.store.putFact(facts + id, JSON.stringify(joined));
    this.#all.set(id, joined);
  }

  /** The caller holds the lock. */
  async remove(id: string): Promise<void> {
    await this.#context.store.putFact(facts + id, undefined);
    this.#all.delete(id);
  }
}
