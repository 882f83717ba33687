import { withoutLength } from '../model/address.ts';
import type { ClusterEndpoint, Node } from '../model/cluster.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import { type Labels, type PolicyDocument, policyKey } from '../model/policy.ts';
import type { Service } from '../model/service.ts';
import { RemoteIndex } from './remote-index.ts';

/** Leaves forty of ten thousand ids to look through; a set for every two or three would take more memory than they do. */
const bucketDigits = 2;

/**
 * The intent in memory, with what is needed to find things in it: no look-up gets slower with the number of endpoints.
 * It mirrors the store; whoever changes one changes the other.
 */
export class IntentIndex implements Intent {
  readonly #networks = new Map<string, Network>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #deny = new Set<string>();
  readonly #services = new Map<string, Service>();
  readonly #policies = new Map<string, PolicyDocument>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #nodes = new Map<string, Node>();
  readonly #remotes = new RemoteIndex();
  #lastPolicyNumber = 0;
  readonly #networkByName = new Map<string, Network>();
  readonly #networkByNumber = new Map<number, Network>();
  readonly #byNetwork = new Map<string, Map<string, Endpoint>>();
  readonly #byName = new Map<string, readonly Endpoint[]>();
  readonly #byAddress = new Map<string, readonly Endpoint[]>();
  readonly #byNumber = new Map<number, Endpoint>();
  readonly #byPrefix = new Map<string, Set<string>>();
  readonly #listeners = new Set<(id: string) => void>();
  #version = 0;
  #ports = 0;

  constructor(intent?: Intent) {
    for (const network of intent?.networks.values() ?? []) this.putNetwork(network);
    for (const endpoint of intent?.endpoints.values() ?? []) this.putEndpoint(endpoint);
    for (const cidr of intent?.deny ?? []) this.#deny.add(cidr);
    for (const service of intent?.services.values() ?? []) this.putService(service);
    const policies = [...(intent?.policies.values() ?? [])].sort((a, b) => a.number - b.number);
    for (const document of policies) this.putPolicy(document);
    for (const [name, labels] of intent?.namespaces ?? []) this.putNamespace(name, labels);
    for (const node of intent?.nodes.values() ?? []) this.putNode(node.name, node);
    for (const [key, remote] of intent?.remotes ?? []) this.putRemote(key, remote);
  }

  get networks(): ReadonlyMap<string, Network> {
    return this.#networks;
  }
  get endpoints(): ReadonlyMap<string, Endpoint> {
    return this.#endpoints;
  }
  get deny(): ReadonlySet<string> {
    return this.#deny;
  }
  get services(): ReadonlyMap<string, Service> {
    return this.#services;
  }
  get policies(): ReadonlyMap<string, PolicyDocument> {
    return this.#policies;
  }
  /** The one that was given out last; its document need not be there any more. */
  get lastPolicyNumber(): number {
    return this.#lastPolicyNumber;
  }
  get namespaces(): ReadonlyMap<string, Labels> {
    return this.#namespaces;
  }
  get nodes(): ReadonlyMap<string, Node> {
    return this.#nodes;
  }
  get remotes(): ReadonlyMap<string, ClusterEndpoint> {
    return this.#remotes.all;
  }
  /** Goes up with every change. */
  get version(): number {
    return this.#version;
  }

  /** Calls `listener` with the id of each network, endpoint and service, and the key of each remote, that is put or deleted. Gives what ends that. */
  onChange(listener: (id: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  putNetwork(network: Network): void {
    this.deleteNetwork(network.id);
    this.#networks.set(network.id, network);
    this.#networkByName.set(network.name, network);
    this.#networkByNumber.set(network.number, network);
    this.#addPrefix(network.id);
    this.#changed(network.id);
  }

  deleteNetwork(id: string): void {
    const network = this.#networks.get(id);
    if (!network) return;
    this.#networks.delete(id);
    if (this.#networkByName.get(network.name) === network) this.#networkByName.delete(network.name);
    if (this.#networkByNumber.get(network.number) === network) this.#networkByNumber.delete(network.number);
    this.#byPrefix.get(id.slice(0, bucketDigits))?.delete(id);
    this.#changed(id);
  }

  putEndpoint(endpoint: Endpoint): void {
    this.deleteEndpoint(endpoint.id);
    this.#endpoints.set(endpoint.id, endpoint);
    this.#byNumber.set(endpoint.number, endpoint);
    this.#ports += endpoint.ports.length;
    const others = this.#byNetwork.get(endpoint.network);
    if (others) others.set(endpoint.id, endpoint);
    else this.#byNetwork.set(endpoint.network, new Map([[endpoint.id, endpoint]]));
    put(this.#byName, endpoint.name, endpoint);
    for (const address of endpoint.addresses) put(this.#byAddress, withoutLength(address), endpoint);
    this.#addPrefix(endpoint.id);
    this.#changed(endpoint.id);
  }

  deleteEndpoint(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (!endpoint) return;
    this.#endpoints.delete(id);
    if (this.#byNumber.get(endpoint.number) === endpoint) this.#byNumber.delete(endpoint.number);
    this.#ports -= endpoint.ports.length;
    const others = this.#byNetwork.get(endpoint.network);
    others?.delete(id);
    if (others?.size === 0) this.#byNetwork.delete(endpoint.network);
    drop(this.#byName, endpoint.name, endpoint);
    for (const address of endpoint.addresses) drop(this.#byAddress, withoutLength(address), endpoint);
    this.#byPrefix.get(id.slice(0, bucketDigits))?.delete(id);
    this.#changed(id);
  }

  addDeny(cidrs: Iterable<string>): void {
    for (const cidr of cidrs) this.#deny.add(cidr);
  }

  deleteDeny(cidrs: Iterable<string>): void {
    for (const cidr of cidrs) this.#deny.delete(cidr);
  }

  putService(service: Service): void {
    this.#services.set(service.id, service);
    this.#changed(service.id);
  }

  deleteService(id: string): void {
    if (this.#services.delete(id)) this.#changed(id);
  }

  putPolicy(document: PolicyDocument): void {
    const key = policyKey(document);
    if (!this.#policies.has(key)) this.#lastPolicyNumber = document.number;
    this.#policies.set(key, document);
    this.#version++;
  }

  /** @param key of `policyKey` */
  deletePolicy(key: string): void {
    this.#policies.delete(key);
    this.#version++;
  }

  putNamespace(name: string, labels: Labels | undefined): void {
    if (labels) this.#namespaces.set(name, labels);
    else this.#namespaces.delete(name);
    this.#version++;
  }

  putNode(name: string, node: Node | undefined): void {
    if (node) this.#nodes.set(name, node);
    else this.#nodes.delete(name);
    this.#version++;
  }

  /** @param key `NODE/ID` */
  putRemote(key: string, remote: ClusterEndpoint | undefined): void {
    this.#remotes.set(key, remote);
    this.#changed(key);
  }

  /** How many ports are published. */
  get ports(): number {
    return this.#ports;
  }

  networkNamed(name: string): Network | undefined {
    return this.#networkByName.get(name);
  }

  networkNumbered(number: number): Network | undefined {
    return this.#networkByNumber.get(number);
  }

  endpointsOf(networkId: string): ReadonlyMap<string, Endpoint> {
    return this.#byNetwork.get(networkId) ?? new Map();
  }

  endpointsNamed(name: string): readonly Endpoint[] {
    return this.#byName.get(name) ?? [];
  }

  endpointNumbered(number: number): Endpoint | undefined {
    return this.#byNumber.get(number);
  }

  /** @param address canonical, without prefix length */
  endpointsAt(address: string): readonly Endpoint[] {
    return this.#byAddress.get(address) ?? [];
  }

  /** Endpoints of a network that are on other hosts, by `NODE/ID`. */
  remotesOf(networkId: string): ReadonlyMap<string, ClusterEndpoint> {
    return this.#remotes.of(networkId);
  }

  remotesNamed(name: string): readonly ClusterEndpoint[] {
    return this.#remotes.named(name);
  }

  /** @param address canonical, without prefix length */
  remotesAt(address: string): readonly ClusterEndpoint[] {
    return this.#remotes.at(address);
  }

  /** Ids of networks and endpoints that begin so. */
  idsWithPrefix(prefix: string): readonly string[] {
    if (prefix.length < bucketDigits) {
      return [...this.#networks.keys(), ...this.#endpoints.keys()].filter((id) => id.startsWith(prefix));
    }
    const bucket = this.#byPrefix.get(prefix.slice(0, bucketDigits)) ?? [];
    return [...bucket].filter((id) => id.startsWith(prefix));
  }

  #changed(id: string): void {
    this.#version++;
    for (const listener of this.#listeners) listener(id);
  }

  #addPrefix(id: string): void {
    const bucket = this.#byPrefix.get(id.slice(0, bucketDigits));
    if (bucket) bucket.add(id);
    else this.#byPrefix.set(id.slice(0, bucketDigits), new Set([id]));
  }
}

/** Few share a name or an address: a list of one takes a fifth of the memory of a map. */
function put(index: Map<string, readonly Endpoint[]>, key: string, endpoint: Endpoint): void {
  const others = index.get(key);
  // A spread makes room for more than most lists ever have.
  index.set(key, others ? [...others, endpoint] : [endpoint]);
}

function drop(index: Map<string, readonly Endpoint[]>, key: string, endpoint: Endpoint): void {
  const rest = (index.get(key) ?? []).filter((other) => other !== endpoint);
  if (rest.length > 0) index.set(key, rest);
  else index.delete(key);
}
