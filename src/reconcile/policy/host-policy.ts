import type { DecidedBy } from '../../api/schemas/flow.ts';
import { formatAddress } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Intent } from '../../model/intent.ts';
import type { Network } from '../../model/network.ts';
import type { PolicyDocument } from '../../model/policy.ts';
import { type CompiledIdentity, type PolicyChanges, PolicyCompiler, type PolicyUpdate } from '../../policy/compiler.ts';
import { DECISION_PORTS, decodeDecision, STANDING_EGRESS, STANDING_INGRESS } from '../../policy/decision.ts';
import { decidedBy } from '../../policy/explain.ts';
import type { PolicyEndpoint } from '../../policy/identity/policy-endpoint.ts';
import type { PolicyTables, Standing, Standings } from '../../policy/tables.ts';
import type { HostFacts } from '../facts.ts';
import type { PolicyRawMaps } from './observe.ts';
import { type Generation, PolicyMaps } from './policy-maps.ts';

export interface HostPolicyOptions {
  readonly maps: PolicyRawMaps;
  readonly generation: Generation;
  /** Name of this node. */
  readonly node: string;
  /** Whether an endpoint's labels are still to come from its engine. Default: of none. */
  readonly awaitsLabels?: ((endpoint: Endpoint) => boolean) | undefined;
  readonly failed: (error: unknown) => void;
}

/** The policy's part of the intent. */
export type PolicyIntent = Pick<Intent, 'networks' | 'endpoints' | 'policies' | 'namespaces'>;

/** Governed in both directions, and by no pair: everything is denied. */
const nobodyKnown: Standing = { identity: 0, flags: STANDING_INGRESS | STANDING_EGRESS };

const noChanges: PolicyChanges = { standings: new Set(), blocks: new Set(), pairs: [], portSets: new Set() };

/** An endpoint, and what the compiler was told of it. */
interface Told {
  readonly endpoint: Endpoint;
  readonly facts: PolicyEndpoint;
}

/** Policy on this host: the compiler, which is told of each change, and the kernel's maps, which follow it. */
export class HostPolicy {
  readonly #compiler: PolicyCompiler;
  readonly #maps: PolicyMaps;
  /** What the compiler was told of, by number; another object is another endpoint. */
  readonly #told = new Map<number, Told>();
  /**
   * Endpoints that nobody reaches and that reach nobody: some document may select them by labels that are still to come.
   * While there are no documents there are none of them.
   */
  readonly #cutOff = new Map<number, Endpoint>();
  readonly #awaitsLabels: (endpoint: Endpoint) => boolean;
  #hostAddresses: readonly string[] = [];

  private constructor(compiler: PolicyCompiler, maps: PolicyMaps, awaitsLabels: (endpoint: Endpoint) => boolean) {
    this.#compiler = compiler;
    this.#maps = maps;
    this.#awaitsLabels = awaitsLabels;
  }

  /** Takes up the numbers that the kernel has: after a restart everybody is who they were. */
  static async open({ maps, generation, node, awaitsLabels, failed }: HostPolicyOptions): Promise<HostPolicy> {
    const policyMaps = await PolicyMaps.open(maps, generation, failed);
    const { standings, blocks, portSets } = policyMaps.applied;
    const endpoints = new Map(
      [...standings].map(([number, { v4, v6 }]) => [number, { v4: v4.identity, v6: v6.identity }]),
    );
    // While a change is under way there is the old beside the new.
    const half = ({ raw }: { readonly raw: { readonly maxEntries: number } }) => Math.floor(raw.maxEntries / 2);
    const compiler = new PolicyCompiler({
      node,
      capacities: { pairs: half(maps.policy), ports: half(maps.policyPorts), blocks: half(maps.addressBlocks) },
      seeds: { endpoints, blocks: new Map(blocks), portSets: new Map(portSets) },
    });
    return new HostPolicy(compiler, policyMaps, awaitsLabels ?? (() => false));
  }

  /** Who an endpoint is to policy, by family; undefined: it is not attached here. */
  standings(number: number): Standings | undefined {
    return this.#compiler.tables.standings.get(number);
  }

  /** The identity of its IPv4 address, where it has one; 0: it is not attached here. */
  identityOf({ number, addresses }: Endpoint): number {
    const standings = this.standings(number);
    return (addresses.some((address) => !address.includes(':')) ? standings?.v4 : standings?.v6)?.identity ?? 0;
  }

  /** How many endpoints are cut off until their engine tells their labels. */
  get awaitingLabels(): number {
    return this.#cutOff.size;
  }

  /** Everybody that policy tells apart. */
  identities(): Iterable<CompiledIdentity> {
    return this.#compiler.identities();
  }

  /** Numbers of the endpoints that a document selects, rising. @param key of `policyKey` */
  selected(key: string): readonly number[] {
    return this.#compiler.selected(key);
  }

  /** Makes the kernel hold what the intent says; gives how many entries it did not. @throws VetchError MAP_FULL */
  async reconcile(intent: PolicyIntent, facts: HostFacts): Promise<number> {
    this.#tell(intent, facts);
    this.#compiler.takeChanges();
    return this.#maps.reconcile(this.#wanted);
  }

  /** Before an endpoint's device comes up. @throws VetchError MAP_FULL: nothing of it stays */
  async addEndpoint(endpoint: Endpoint, network: Network): Promise<void> {
    if (this.#isCutOff(endpoint)) {
      this.#cutOff.set(endpoint.number, endpoint);
      await this.#maps.applyUnread(this.#wanted, { ...noChanges, standings: new Set([endpoint.number]) });
      return;
    }
    await this.#unread(endpoint.number, toldOf(endpoint, network));
  }

  /** After an endpoint's entries are gone. */
  async removeEndpoint({ id, number }: Endpoint): Promise<void> {
    if (this.#cutOff.get(number)?.id === id) {
      this.#cutOff.delete(number);
      await this.#maps.applyUnread(this.#wanted, { ...noChanges, standings: new Set([number]) });
    }
    if (this.#told.get(number)?.endpoint.id === id) await this.#unread(number, undefined);
  }

  /**
   * Other names or labels of endpoints that are there: their connections are judged again.
   *
   * @throws VetchError MAP_FULL: the old ones stay
   */
  async changeEndpoints(endpoints: Iterable<Endpoint>, network: Network): Promise<void> {
    const told = new Map([...endpoints].map((endpoint) => [endpoint.number, toldOf(endpoint, network)]));
    const cutOff = new Map(this.#cutOff);
    for (const [number, { endpoint }] of told) {
      if (this.#isCutOff(endpoint)) told.delete(number);
      else this.#cutOff.delete(number);
    }
    try {
      await this.#enforce({ endpoints: new Map([...told].map(([number, { facts }]) => [number, facts])) });
    } catch (error) {
      // Who could not be told stays cut off, also when the maps are made anew.
      for (const [number, endpoint] of cutOff) this.#cutOff.set(number, endpoint);
      throw error;
    }
    for (const [number, one] of told) this.#told.set(number, one);
  }

  /** After a network with gateways of the host's has come or gone. */
  async followGateways(networks: Iterable<Network>, facts: HostFacts): Promise<void> {
    const update = this.#hostUpdate(networks, facts);
    await this.#enforce(update);
    this.#hostAddresses = [...(update.hostAddresses ?? this.#hostAddresses)];
  }

  /**
   * Other documents, or other labels of namespaces. Resolves when they are enforced on every endpoint.
   *
   * @throws VetchError UNSUPPORTED, MAP_FULL: the old ones stay
   */
  change(update: Pick<PolicyUpdate, 'documents' | 'namespaces'>): Promise<void> {
    return this.#enforce(update);
  }

  /** What packets are judged by; live. */
  get tables(): PolicyTables {
    return this.#compiler.tables;
  }

  /** Whether an address is one of the host's own. @param address canonical */
  isHost(address: string): boolean {
    return this.#hostAddresses.includes(address);
  }

  documentNumbered(number: number): PolicyDocument | undefined {
    return this.#compiler.documentNumbered(number);
  }

  /** The document and rule behind a decision word of the kernel's; null: none, or one that is gone. */
  decidedBy(decision: number): DecidedBy | null {
    const decoded = decodeDecision(decision);
    if (decoded.kind === DECISION_PORTS || !decoded.decider) return null;
    return decidedBy(decoded.decider, (number) => this.documentNumbered(number));
  }

  /** What the kernel is to hold: the compiled tables, and those who are cut off. */
  get #wanted(): PolicyTables {
    const { tables } = this.#compiler;
    if (this.#cutOff.size === 0) return tables;
    const { blocks, pairs, portSets } = tables;
    const closed = [...this.#cutOff.keys()].map((number) => [number, { v4: nobodyKnown, v6: nobodyKnown }] as const);
    return { blocks, pairs, portSets, standings: new Map([...tables.standings, ...closed]) };
  }

  #isCutOff(endpoint: Endpoint): boolean {
    return this.#compiler.documents.size > 0 && this.#awaitsLabels(endpoint);
  }

  async #enforce(update: PolicyUpdate): Promise<void> {
    const before = this.#inverse(update);
    this.#compiler.update(update);
    try {
      await this.#maps.apply(this.#wanted, this.#compiler.takeChanges());
    } catch (error) {
      this.#compiler.update(before);
      throw error;
    }
  }

  async #unread(number: number, told: Told | undefined): Promise<void> {
    const update = { endpoints: new Map([[number, told?.facts]]) };
    const before = this.#inverse(update);
    this.#compiler.update(update);
    try {
      await this.#maps.applyUnread(this.#wanted, this.#compiler.takeChanges());
    } catch (error) {
      this.#compiler.update(before);
      throw error;
    }
    if (told) this.#told.set(number, told);
    else this.#told.delete(number);
  }

  #inverse({ documents, namespaces, endpoints, hostAddresses }: PolicyUpdate): PolicyUpdate {
    return {
      ...(hostAddresses && { hostAddresses: this.#hostAddresses }),
      documents: previous(documents, (key) => this.#compiler.documents.get(key)),
      namespaces: previous(namespaces, (name) => this.#compiler.namespaces.get(name)),
      endpoints: previous(endpoints, (number) => this.#told.get(number)?.facts),
    };
  }

  /** Empty where nothing has changed. */
  #hostUpdate(networks: Iterable<Network>, facts: HostFacts): Pick<PolicyUpdate, 'hostAddresses'> {
    const hostAddresses = hostAddressesOf(networks, facts);
    return hostAddresses.join() === this.#hostAddresses.join() ? {} : { hostAddresses };
  }

  /** What the compiler has not been told yet. */
  #tell({ networks, endpoints, policies, namespaces }: PolicyIntent, facts: HostFacts): void {
    const told = new Map<number, Told | undefined>();
    for (const [number, { endpoint }] of this.#told) if (!endpoints.has(endpoint.id)) told.set(number, undefined);
    this.#cutOff.clear();
    for (const endpoint of endpoints.values()) {
      const network = networks.get(endpoint.network);
      if (this.#awaitsLabels(endpoint) && policies.size > 0) {
        this.#cutOff.set(endpoint.number, endpoint);
        told.set(endpoint.number, undefined);
        continue;
      }
      if (!network || this.#told.get(endpoint.number)?.endpoint === endpoint) continue;
      told.set(endpoint.number, toldOf(endpoint, network));
    }
    const host = this.#hostUpdate(networks.values(), facts);
    this.#compiler.update({
      endpoints: new Map([...told].map(([number, one]) => [number, one?.facts])),
      documents: difference(this.#compiler.documents, policies),
      namespaces: difference(this.#compiler.namespaces, namespaces),
      ...host,
    });
    this.#hostAddresses = [...(host.hostAddresses ?? this.#hostAddresses)];
    for (const [number, one] of told) {
      if (one) this.#told.set(number, one);
      else this.#told.delete(number);
    }
  }
}

function toldOf(endpoint: Endpoint, network: Network): Told {
  const { number, name, labels, addresses } = endpoint;
  return { endpoint, facts: { number, name, network: network.name, driver: network.driver, labels, addresses } };
}

/** The host's own addresses, and the gateways that it speaks to containers with. */
function hostAddressesOf(networks: Iterable<Network>, { addresses }: HostFacts): string[] {
  const gateways = [...networks].flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
  return [...new Set([...addresses.map(({ address }) => formatAddress(address)), ...gateways])].sort();
}

function previous<K, V>(
  changes: ReadonlyMap<K, V | undefined> | undefined,
  now: (key: K) => V | undefined,
): ReadonlyMap<K, V | undefined> {
  return new Map([...(changes?.keys() ?? [])].map((key) => [key, now(key)]));
}

function difference<V>(
  now: ReadonlyMap<string, V>,
  wanted: ReadonlyMap<string, V>,
): ReadonlyMap<string, V | undefined> {
  const changes = new Map<string, V | undefined>();
  for (const key of now.keys()) if (!wanted.has(key)) changes.set(key, undefined);
  for (const [key, value] of wanted) if (now.get(key) !== value) changes.set(key, value);
  return changes;
}
