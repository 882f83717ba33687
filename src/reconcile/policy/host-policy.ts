import type { DecidedBy } from '../../api/schemas/flow.ts';
import { formatAddress } from '../../model/address.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Intent } from '../../model/intent.ts';
import type { Network } from '../../model/network.ts';
import type { PolicyDocument } from '../../model/policy.ts';
import { planOf } from '../../network/drivers/registry.ts';
import { type CompiledIdentity, type PolicyChanges, PolicyCompiler, type PolicyUpdate } from '../../policy/compiler.ts';
import { DECISION_PORTS, decodeDecision, STANDING_EGRESS, STANDING_INGRESS } from '../../policy/decision.ts';
import { decidedBy } from '../../policy/explain.ts';
import type { LearnedAddress, PolicyEndpoint } from '../../policy/identity/policy-endpoint.ts';
import {
  type LearnedAnswer,
  type LearnedChange,
  type LearnedChanges,
  LearnedNames,
} from '../../policy/learned-names.ts';
import { learnedKey, type PolicyTables, type Standing, type Standings } from '../../policy/tables.ts';
import type { HostFacts } from '../facts.ts';
import type { PlacedRemote } from '../remotes/remote-table.ts';
import type { PolicyRawMaps } from './observe.ts';
import { type Generation, PolicyMaps } from './policy-maps.ts';
import { RemoteParty } from './remote-party.ts';
import { ToldRemotes } from './told-remotes.ts';

export interface HostPolicyOptions {
  readonly maps: PolicyRawMaps;
  readonly generation: Generation;
  /** Name of this node. */
  readonly node: string;
  /** Whether an endpoint's labels are still to come from its engine. Default: of none. */
  readonly awaitsLabels?: ((endpoint: Endpoint) => boolean) | undefined;
  /** What endpoints were told before this daemon began. */
  readonly learned?: LearnedNames | undefined;
  readonly failed: (error: unknown) => void;
  /** As `PolicyMaps.open` has it. */
  readonly barrier?: () => Promise<void>;
}

/** The policy's part of the intent. */
export type PolicyIntent = Pick<Intent, 'networks' | 'endpoints' | 'policies' | 'namespaces'>;

/** Governed in both directions, and by no pair: everything is denied. */
const nobodyKnown: Standing = { identity: 0, flags: STANDING_INGRESS | STANDING_EGRESS };

const noChanges: PolicyChanges = {
  ...{ standings: new Set(), blocks: new Set(), learned: new Set(), pairs: [], portSets: new Set() },
};

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
  readonly #toldRemotes = new ToldRemotes();
  /**
   * Endpoints that nobody reaches and that reach nobody: some document may select them by labels that are still to come.
   * While there are no documents there are none of them.
   */
  readonly #cutOff = new Map<number, Endpoint>();
  readonly #awaitsLabels: (endpoint: Endpoint) => boolean;
  /** What endpoints were told of the domain names that documents let them reach. */
  readonly learned: LearnedNames;
  readonly #listeners = new Set<(numbers: ReadonlySet<number>) => void>();
  #hostAddresses: readonly string[] = [];

  private constructor(
    compiler: PolicyCompiler,
    maps: PolicyMaps,
    { awaitsLabels, learned }: Pick<HostPolicyOptions, 'awaitsLabels' | 'learned'>,
  ) {
    this.#compiler = compiler;
    this.#maps = maps;
    this.#awaitsLabels = awaitsLabels ?? (() => false);
    this.learned = learned ?? new LearnedNames();
  }

  /** Takes up the numbers that the kernel has: after a restart everybody is who they were. */
  static async open(options: HostPolicyOptions): Promise<HostPolicy> {
    const { maps, generation, node, failed, barrier } = options;
    const policyMaps = await PolicyMaps.open(maps, generation, failed, barrier);
    const { standings, blocks, learned, portSets } = policyMaps.applied;
    const endpoints = new Map(
      [...standings].map(([number, { v4, v6 }]) => [number, { v4: v4.identity, v6: v6.identity }]),
    );
    // While a change is under way there is the old beside the new.
    const half = ({ raw }: { readonly raw: { readonly maxEntries: number } }) => Math.floor(raw.maxEntries / 2);
    const compiler = new PolicyCompiler({
      node,
      capacities: {
        pairs: half(maps.policy),
        ports: half(maps.policyPorts),
        blocks: half(maps.addressBlocks),
        learned: half(maps.learned),
      },
      seeds: {
        endpoints,
        blocks: new Map(blocks),
        learned: new Map([...learned].map(([key, { identity }]) => [key, identity])),
        portSets: new Map(portSets),
      },
    });
    return new HostPolicy(compiler, policyMaps, options);
  }

  /** Who an endpoint is to policy, by family; undefined: it is not attached here. */
  standings(number: number): Standings | undefined {
    return this.#compiler.tables.standings.get(number);
  }

  /** The identity of its IPv4 address, where it has one; 0: it is not attached here. */
  identityOf({ number, addresses }: Pick<Endpoint, 'number' | 'addresses'>): number {
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
  async reconcile(intent: PolicyIntent, facts: HostFacts, remotes: Iterable<PlacedRemote> = []): Promise<number> {
    this.#tell(intent, facts, remotes);
    // Told also when the kernel fails: the next time there is nothing new.
    this.#tellListeners(this.#compiler.takeChanges().standings);
    return this.#maps.reconcile(this.#wanted);
  }

  /** Patterns of the domain names that documents let an endpoint reach, in one order. */
  domainsOf(number: number): readonly string[] {
    return this.#compiler.domainsOf(number);
  }

  /** Calls `listener` with the numbers of endpoints that policy may treat otherwise now. Gives what ends that. */
  onStandings(listener: (numbers: ReadonlySet<number>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Before an endpoint is told an answer: opens its addresses to it, as far as documents say. Resolves when they are open.
   *
   * @param now milliseconds of a clock that goes on while no daemon runs
   * @returns keys of the addresses that could not be learned, and of those that were forgotten to make room
   * @throws VetchError MAP_FULL: nothing is changed
   */
  async learn(answer: LearnedAnswer, now: number): Promise<{ missing: string[]; forgotten: string[] }> {
    const changed = await this.#followLearned(this.learned.learn(answer, now));
    const keys = answer.addresses.map(({ address }) => learnedKey(answer.endpoint, address));
    const isUnknown = (key: string) => !this.learned.get(key);
    return { missing: keys.filter(isUnknown), forgotten: changed.filter(isUnknown) };
  }

  /** Closes to new flows the addresses of which no answer holds any more; gives their keys. */
  expireLearned(now: number): Promise<string[]> {
    return this.#followLearned(this.learned.expire(now));
  }

  /** Forgets the addresses that had expired by `before` and have no flow any more; gives their keys. */
  releaseLearned(inUse: ReadonlySet<string>, before: number): Promise<string[]> {
    return this.#followLearned(this.learned.release(inUse, before));
  }

  /** Before an endpoint's device comes up. @throws VetchError MAP_FULL: nothing of it stays */
  async addEndpoint(endpoint: Endpoint, network: Network): Promise<void> {
    if (this.#isCutOff(endpoint)) {
      this.#cutOff.set(endpoint.number, endpoint);
      await this.#maps.applyUnread(this.#wanted, { ...noChanges, standings: new Set([endpoint.number]) });
      return;
    }
    await this.#tellUnread(endpoint.number, toldOf(endpoint, network));
  }

  /** After an endpoint's entries are gone. */
  async removeEndpoint({ id, number }: Endpoint): Promise<void> {
    const [isCutOff, isTold] = [this.#cutOff.get(number)?.id === id, this.#told.get(number)?.endpoint.id === id];
    // Of one that is cut off, too: this daemon's predecessor may have told it something.
    if (isCutOff || isTold) await this.#followLearned(this.learned.forget(number));
    if (isCutOff) {
      this.#cutOff.delete(number);
      await this.#maps.applyUnread(this.#wanted, { ...noChanges, standings: new Set([number]) });
    }
    if (isTold) await this.#tellUnread(number, undefined);
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

  /** Whether an endpoint on another host is known by its labels, or by those that it had before. */
  knowsRemote({ key, number }: PlacedRemote): boolean {
    return this.#toldRemotes.get(number)?.key === key;
  }

  /** The number of an endpoint on another host in `tables`; undefined: it is not known. @param key `NODE/ID` */
  remoteNumber(key: string): number | undefined {
    return this.#toldRemotes.numberOf(key);
  }

  /** Before the kernel knows where they are. @throws VetchError MAP_FULL: nothing of them stays */
  addRemotes(remotes: readonly PlacedRemote[]): Promise<void> {
    return this.#tellRemotes(remotes, (update) => this.#unread(update));
  }

  /** Other labels of endpoints on other hosts: connections with them are judged again. @throws VetchError MAP_FULL: the old ones stay */
  changeRemotes(remotes: readonly PlacedRemote[]): Promise<void> {
    return this.#tellRemotes(remotes, (update) => this.#enforce(update));
  }

  /** After the kernel has forgotten where they were. */
  async removeRemotes(remotes: readonly PlacedRemote[]): Promise<void> {
    const known = remotes.filter((remote) => this.knowsRemote(remote));
    if (known.length === 0) return;
    await this.#unread({ endpoints: new Map(known.map(({ number }) => [number, undefined])) });
    for (const { number } of known) this.#toldRemotes.drop(number);
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
   * @param store see `PolicyMaps.apply`
   * @throws VetchError UNSUPPORTED, MAP_FULL: the old ones stay
   */
  change(update: Pick<PolicyUpdate, 'documents' | 'namespaces'>, store?: () => Promise<void>): Promise<void> {
    return this.#enforce(update, store);
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
    const closed = [...this.#cutOff.keys()].map((number) => [number, { v4: nobodyKnown, v6: nobodyKnown }] as const);
    return {
      ...{ blocks: tables.blocks, learned: tables.learned, pairs: tables.pairs, portSets: tables.portSets },
      standings: new Map([...tables.standings, ...closed]),
    };
  }

  #isCutOff(endpoint: Endpoint): boolean {
    return this.#compiler.documents.size > 0 && this.#awaitsLabels(endpoint);
  }

  /** By a turn of the generation only where an address is somebody else now: packets may be on their way by who it was. */
  async #followLearned(changes: LearnedChanges): Promise<string[]> {
    if (changes.size === 0) return [];
    const update = { learned: new Map([...changes].map(([key, { after }]) => [key, after])) };
    const isOther = ({ before, after }: LearnedChange): boolean =>
      before !== undefined && after !== undefined && [...before.names.keys()].join() !== after.names.join();
    try {
      await (Array.from(changes.values()).some(isOther) ? this.#enforce(update) : this.#unread(update));
    } catch (error) {
      this.learned.undo(changes);
      throw error;
    }
    return [...changes.keys()];
  }

  #enforce(update: PolicyUpdate, store?: () => Promise<void>): Promise<void> {
    return this.#update(update, (changes) => this.#maps.apply(this.#wanted, changes, store));
  }

  /** Of what no packet can have to do with yet, or any more. */
  #unread(update: PolicyUpdate): Promise<void> {
    return this.#update(update, (changes) => this.#maps.applyUnread(this.#wanted, changes));
  }

  async #update(update: PolicyUpdate, apply: (changes: PolicyChanges) => Promise<void>): Promise<void> {
    const before = this.#inverse(update);
    this.#compiler.update(update);
    const changes = this.#compiler.takeChanges();
    try {
      await apply(changes);
    } catch (error) {
      this.#compiler.update(before);
      throw error;
    }
    this.#tellListeners(changes.standings);
  }

  #tellListeners(numbers: ReadonlySet<number>): void {
    if (numbers.size > 0) for (const listener of this.#listeners) listener(numbers);
  }

  async #tellUnread(number: number, told: Told | undefined): Promise<void> {
    await this.#unread({ endpoints: new Map([[number, told?.facts]]) });
    if (told) this.#told.set(number, told);
    else this.#told.delete(number);
  }

  async #tellRemotes(remotes: readonly PlacedRemote[], tell: (update: PolicyUpdate) => Promise<void>): Promise<void> {
    if (remotes.length === 0) return;
    await tell({ endpoints: new Map(remotes.map((remote) => [remote.number, new RemoteParty(remote)])) });
    for (const remote of remotes) this.#toldRemotes.put(remote);
  }

  /** What the compiler was told. */
  #factsOf(number: number): PolicyEndpoint | undefined {
    const remote = this.#toldRemotes.get(number);
    return this.#told.get(number)?.facts ?? (remote && new RemoteParty(remote));
  }

  #inverse({ documents, namespaces, endpoints, hostAddresses, learned }: PolicyUpdate): PolicyUpdate {
    return {
      ...(hostAddresses && { hostAddresses: this.#hostAddresses }),
      documents: previous(documents, (key) => this.#compiler.documents.get(key)),
      namespaces: previous(namespaces, (name) => this.#compiler.namespaces.get(name)),
      endpoints: previous(endpoints, (number) => this.#factsOf(number)),
      learned: previous(learned, (key) => this.#compiler.learned(key)),
    };
  }

  /** Empty where nothing has changed. */
  #hostUpdate(networks: Iterable<Network>, facts: HostFacts): Pick<PolicyUpdate, 'hostAddresses'> {
    const hostAddresses = hostAddressesOf(networks, facts);
    return hostAddresses.join() === this.#hostAddresses.join() ? {} : { hostAddresses };
  }

  /** What the compiler has not been told yet. */
  #tell(
    { networks, endpoints, policies, namespaces }: PolicyIntent,
    facts: HostFacts,
    remotes: Iterable<PlacedRemote>,
  ): void {
    const told = new Map<number, Told | undefined>();
    for (const [number, { endpoint }] of this.#told) if (!endpoints.has(endpoint.id)) told.set(number, undefined);
    // Before somebody else has its number.
    const known = [...this.#cutOff.values(), ...Array.from(this.#told.values(), ({ endpoint }) => endpoint)];
    for (const { id, number } of known) if (!endpoints.has(id)) this.learned.forget(number);
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
    const far = this.#toldRemotes.untold(remotes);
    this.#compiler.update({
      endpoints: new Map([
        ...[...told].map(([number, one]) => [number, one?.facts] as const),
        ...[...far].map(([number, one]) => [number, one && new RemoteParty(one)] as const),
      ]),
      learned: difference(this.#compiler.learnedAddresses(), this.learned.addresses(), sameLearned),
      documents: difference(this.#compiler.documents, policies),
      namespaces: difference(this.#compiler.namespaces, namespaces),
      ...host,
    });
    this.#hostAddresses = [...(host.hostAddresses ?? this.#hostAddresses)];
    for (const [number, one] of told) {
      if (one) this.#told.set(number, one);
      else this.#told.delete(number);
    }
    for (const [number, one] of far) {
      if (one) this.#toldRemotes.put(one);
      else this.#toldRemotes.drop(number);
    }
  }
}

function toldOf(endpoint: Endpoint, network: Network): Told {
  const { number, name, labels, addresses } = endpoint;
  return { endpoint, facts: { number, name, network: network.name, driver: network.driver, labels, addresses } };
}

/** The host's own addresses, and the gateways that it speaks to containers with. */
function hostAddressesOf(networks: Iterable<Network>, { addresses }: HostFacts): string[] {
  const gateways = [...networks]
    .filter((network) => planOf(network).ownsSubnets)
    .flatMap(({ subnets }) => subnets.map(({ gateway }) => gateway));
  return [...new Set([...addresses.map(({ address }) => formatAddress(address)), ...gateways])].sort();
}

function previous<K, V>(
  changes: ReadonlyMap<K, V | undefined> | undefined,
  now: (key: K) => V | undefined,
): ReadonlyMap<K, V | undefined> {
  return new Map([...(changes?.keys() ?? [])].map((key) => [key, now(key)]));
}

function sameLearned(a: LearnedAddress | undefined, b: LearnedAddress): boolean {
  return a !== undefined && a.expired === b.expired && a.names.join() === b.names.join();
}

function difference<V>(
  now: ReadonlyMap<string, V>,
  wanted: ReadonlyMap<string, V>,
  isSame: (a: V | undefined, b: V) => boolean = Object.is,
): ReadonlyMap<string, V | undefined> {
  const changes = new Map<string, V | undefined>();
  for (const key of now.keys()) if (!wanted.has(key)) changes.set(key, undefined);
  for (const [key, value] of wanted) if (!isSame(now.get(key), value)) changes.set(key, value);
  return changes;
}
