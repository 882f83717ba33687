/** What tells where an endpoint on another host is. */
interface Grouped {
  readonly key: string;
  readonly network: { readonly id: string };
  /** Number of its node. */
  readonly node: number;
}

/** Which nodes have endpoints of which network, and which. */
export class RemoteGroups {
  /** Keys, by id of the network and by number of the node. */
  readonly #networks = new Map<string, Map<number, Set<string>>>();

  add({ key, network, node }: Grouped): void {
    const nodes = this.#networks.get(network.id) ?? new Map<number, Set<string>>();
    const keys = nodes.get(node) ?? new Set();
    this.#networks.set(network.id, nodes.set(node, keys.add(key)));
  }

  remove({ key, network, node }: Grouped): void {
    const nodes = this.#networks.get(network.id);
    const keys = nodes?.get(node);
    keys?.delete(key);
    if (keys?.size === 0) nodes?.delete(node);
    if (nodes?.size === 0) this.#networks.delete(network.id);
  }

  nodesOf(network: string): Iterable<number> {
    return this.#networks.get(network)?.keys() ?? [];
  }

  has(network: string, node: number): boolean {
    return this.#networks.get(network)?.has(node) === true;
  }

  *ofNode(node: number): Generator<string> {
    for (const nodes of this.#networks.values()) yield* nodes.get(node) ?? [];
  }

  *ofNetwork(network: string): Generator<string> {
    for (const keys of this.#networks.get(network)?.values() ?? []) yield* keys;
  }
}
