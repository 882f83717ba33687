import type { ClusterEndpoint, Node } from '../../model/cluster.ts';
import type { Intent } from '../../model/intent.ts';
import type { Network } from '../../model/network.ts';
import { type PublishedKey, usableKeys } from '../../model/wireguard.ts';
import { spansHosts } from '../../network/drivers/spans-hosts.ts';
import { RotatingNumbers } from '../../policy/rotating-numbers.ts';
import { endpointKeys, nodeNumbers, packReach, remoteNumbers } from './numbers.ts';
import { RemoteGroups } from './remote-groups.ts';
import { noSeeds, type RemoteSeeds } from './seeds.ts';

/** How encrypted packets go to a node and come from it; addresses are those made of keys. */
export interface NodeCrypt {
  /** Of the node's key that packets are sent to; absent: has none yet. */
  readonly to?: Uint8Array;
  /** Of this host's key that they are sent with, and the index of the WireGuard device that has it. */
  readonly from?: Uint8Array;
  readonly ifindex?: number;
  /** Of another key of the node's that is accepted. */
  readonly also?: Uint8Array;
}

/** Another host that is there, and where its tunnel ends. */
export interface PlacedNode {
  readonly name: string;
  /** Index in the map `nodes`. */
  readonly number: number;
  /** Canonical. */
  readonly tunnel: string;
  /** Its keys, the newest last. */
  readonly wireguard: readonly PublishedKey[];
  /** Those that clients reach it by, canonical. */
  readonly addresses: readonly string[];
}

/** An endpoint on another host that this one can reach. */
export interface PlacedRemote {
  /** `NODE/ID`. */
  readonly key: string;
  /** Index in the map `identities`, beside those of this host's endpoints. */
  readonly number: number;
  readonly remote: ClusterEndpoint;
  readonly network: Network;
  /** Number of its node. */
  readonly node: number;
  /** What it is reached at, of `packReach`: a hundred thousand are written down at every pass. */
  readonly reach: string;
}

/** What a change does. */
export interface RemoteChanges {
  readonly come: readonly PlacedRemote[];
  readonly gone: readonly PlacedRemote[];
  /** Of the same number. */
  readonly changed: readonly { readonly before: PlacedRemote; readonly after: PlacedRemote }[];
  /** Numbers of nodes that have come, gone or changed. */
  readonly nodes: ReadonlySet<number>;
}

type RemoteIntent = Pick<Intent, 'networks' | 'nodes' | 'remotes'>;

/** Names of nodes and keys of endpoints that may be others than before. */
export interface RemoteKeys {
  readonly nodes?: Iterable<string>;
  readonly remotes?: Iterable<string>;
}

interface Changes {
  readonly come: PlacedRemote[];
  readonly gone: PlacedRemote[];
  readonly changed: { readonly before: PlacedRemote; readonly after: PlacedRemote }[];
  readonly nodes: Set<number>;
}

/**
 * The other hosts and what is on them, by numbers of this host's own. They stay as long as what they stand for, over a
 * daemon's restart too, and are not given again before all others have been.
 */
export class RemoteTable {
  readonly #nodes = new Map<string, PlacedNode>();
  readonly #nodeByNumber = new Map<number, PlacedNode>();
  readonly #placed = new Map<string, PlacedRemote>();
  /** By number, less the first. */
  readonly #byNumber: (PlacedRemote | undefined)[] = [];
  readonly #groups = new RemoteGroups();
  /** Keys of what is not placed: its network or its node is not there, or there are too many. */
  readonly #waiting = new Set<string>();
  /** Names of nodes that are there and have no tunnel. */
  readonly mute = new Set<string>();
  /** Names of nodes that there is no number for. */
  readonly #unnumbered = new Set<string>();
  /** Keys of endpoints that there is no number for. */
  readonly #beyond = new Set<string>();
  readonly #nodeNumbers = new RotatingNumbers(nodeNumbers.first, nodeNumbers.last);
  readonly #numbers = new RotatingNumbers(remoteNumbers.first, remoteNumbers.last);
  #seeds: RemoteSeeds;

  /** @param seeds numbers as the kernel has them */
  constructor(seeds: RemoteSeeds = noSeeds) {
    this.#seeds = seeds;
    this.#nodeNumbers.skip(seeds.nodes.values());
    this.#numbers.skip(seeds.remotes.values());
  }

  get nodes(): Iterable<PlacedNode> {
    return this.#nodes.values();
  }

  get placed(): ReadonlyMap<string, PlacedRemote> {
    return this.#placed;
  }

  node(number: number): PlacedNode | undefined {
    return this.#nodeByNumber.get(number);
  }

  numbered(number: number): PlacedRemote | undefined {
    return this.#byNumber[number - remoteNumbers.first];
  }

  /** Numbers of the nodes that have endpoints of a network. @param network its id */
  nodesOf(network: string): Iterable<number> {
    return this.#groups.nodesOf(network);
  }

  /** How many nodes and endpoints there are no numbers for. */
  get beyond(): { readonly nodes: number; readonly remotes: number } {
    return { nodes: this.#unnumbered.size, remotes: this.#beyond.size };
  }

  /** Follows the whole intent. */
  align(intent: RemoteIntent): RemoteChanges {
    const changes = this.follow(intent, {
      nodes: new Set([...this.#nodes.keys(), ...this.mute, ...this.#unnumbered, ...intent.nodes.keys()]),
      remotes: this.#allKeys(intent),
    });
    // Who comes later is somebody else.
    this.#seeds = noSeeds;
    return changes;
  }

  /** Follows the intent where it may have changed, and whatever waited for that. Costs as much as there is to follow. */
  follow(intent: RemoteIntent, { nodes = [], remotes = [] }: RemoteKeys): RemoteChanges {
    const changes: Changes = { come: [], gone: [], changed: [], nodes: new Set() };
    const left: PlacedNode[] = [];
    for (const name of nodes) this.#followNode(name, intent.nodes.get(name), changes, left);
    for (const { number } of left) {
      for (const key of [...this.#groups.ofNode(number)]) this.#followRemote(key, intent, changes);
    }
    for (const key of remotes) this.#followRemote(key, intent, changes);
    for (const key of [...this.#waiting]) this.#followRemote(key, intent, changes);
    // After whoever had them is gone: nobody comes by such a number in the same change.
    for (const { number } of left) this.#nodeNumbers.release(number);
    for (const { number } of changes.gone) this.#numbers.release(number);
    return changes;
  }

  /** Of a network that is not there any more. @param id of it */
  dropNetwork(id: string): PlacedRemote[] {
    const gone = [...this.#groups.ofNetwork(id)].flatMap((key) => this.#placed.get(key) ?? []);
    for (const placed of gone) {
      this.#remove(placed);
      this.#numbers.release(placed.number);
      this.#waiting.add(placed.key);
    }
    return gone;
  }

  /** Whether all that follows of an endpoint is as it was: of a hundred thousand at a pass that is almost always so. */
  #isFollowed(key: string, remote: ClusterEndpoint, networks: RemoteIntent['networks']): boolean {
    const placed = this.#placed.get(key);
    if (placed?.remote !== remote || placed.network !== networks.get(remote.network)) return false;
    return this.#nodes.get(remote.node)?.number === placed.node;
  }

  /** Those that have changed, and those that are gone after those that are there. */
  *#allKeys({ networks, remotes }: RemoteIntent): Generator<string> {
    for (const [key, remote] of remotes) if (!this.#isFollowed(key, remote, networks)) yield key;
    for (const key of this.#placed.keys()) if (!remotes.has(key)) yield key;
  }

  #followNode(name: string, node: Node | undefined, changes: Changes, left: PlacedNode[]): void {
    const before = this.#nodes.get(name);
    const tunnel = node?.tunnel;
    this.#unnumbered.delete(name);
    if (node && tunnel === undefined) this.mute.add(name);
    else this.mute.delete(name);
    const wireguard = usableKeys(node?.wireguard ?? []);
    const addresses = node?.addresses ?? [];
    if (
      before?.tunnel === tunnel &&
      sameKeys(before?.wireguard ?? [], wireguard) &&
      (before?.addresses ?? []).join() === addresses.join()
    )
      return;
    if (tunnel === undefined) {
      if (!before) return;
      this.#nodes.delete(name);
      this.#nodeByNumber.delete(before.number);
      left.push(before);
      changes.nodes.add(before.number);
      return;
    }
    const number = before?.number ?? this.#numberOf(this.#nodeNumbers, [this.#seeds.nodes.get(tunnel)]);
    if (number === undefined) {
      this.#unnumbered.add(name);
      return;
    }
    const placed = { name, number, tunnel, wireguard, addresses };
    this.#nodes.set(name, placed);
    this.#nodeByNumber.set(number, placed);
    changes.nodes.add(number);
  }

  #followRemote(key: string, { networks, remotes }: RemoteIntent, changes: Changes): void {
    const before = this.#placed.get(key);
    const remote = remotes.get(key);
    const network = remote && networks.get(remote.network);
    const node = remote && this.#nodes.get(remote.node);
    this.#beyond.delete(key);
    if (!remote || !network || !node || !spansHosts(network)) {
      if (before) {
        this.#remove(before);
        changes.gone.push(before);
      }
      if (remote) this.#waiting.add(key);
      else this.#waiting.delete(key);
      return;
    }
    if (before?.remote === remote && before.network === network && before.node === node.number) return;
    const number = before?.number ?? this.#numberOf(this.#numbers, this.#seedsOf(remote, network));
    if (number === undefined) {
      this.#beyond.add(key);
      this.#waiting.add(key);
      return;
    }
    if (before) this.#remove(before);
    const reach = before?.remote === remote ? before.reach : packReach(remote);
    const after = { key, number, remote, network, node: node.number, reach };
    this.#add(after);
    if (before) changes.changed.push({ before, after });
    else changes.come.push(after);
  }

  *#seedsOf(remote: ClusterEndpoint, network: Network): Generator<number | undefined> {
    if (this.#seeds.remotes.size === 0) return;
    for (const text of endpointKeys(remote, network)) yield this.#seeds.remotes.get(text);
  }

  /** The number that the kernel has for it, if nobody else has it. */
  #numberOf(numbers: RotatingNumbers, seeds: Iterable<number | undefined>): number | undefined {
    for (const seed of seeds) if (seed !== undefined && numbers.take(seed)) return seed;
    return numbers.allocate();
  }

  #add(placed: PlacedRemote): void {
    this.#waiting.delete(placed.key);
    this.#placed.set(placed.key, placed);
    this.#byNumber[placed.number - remoteNumbers.first] = placed;
    this.#groups.add(placed);
  }

  #remove(placed: PlacedRemote): void {
    this.#placed.delete(placed.key);
    this.#byNumber[placed.number - remoteNumbers.first] = undefined;
    this.#groups.remove(placed);
  }
}

function sameKeys(a: readonly PublishedKey[], b: readonly PublishedKey[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ publicKey, port }, at) => {
      return b[at]?.publicKey === publicKey && b[at]?.port === port;
    })
  );
}
