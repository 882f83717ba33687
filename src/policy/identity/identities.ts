import { parseAddress, withoutLength } from '../../model/address.ts';
import { matchesDomain } from '../../model/domain-name.ts';
import { NumberTable } from '../number-table.ts';
import { type AddressBits, addressBits, type Block, BlockTable, fullLength, isInside } from './blocks.ts';
import { DomainTable } from './domains.ts';
import { hasPolicyLabel, type LearnedAddress, type PolicyEndpoint } from './policy-endpoint.ts';
import { type Facts, factsKey, type Profile } from './profile.ts';
import { ProfileTable } from './profile-table.ts';
import { addressFacts, EndpointEntry, type Slot, samePorts } from './slot.ts';

/** Identities as the kernel has them, so that a restart gives everybody the number that it had. */
export interface IdentitySeeds {
  /** By endpoint number. */
  readonly endpoints?: ReadonlyMap<number, { readonly v4: number; readonly v6: number }> | undefined;
  /** By canonical CIDR. */
  readonly blocks?: ReadonlyMap<string, number> | undefined;
  /** By `learnedKey`. */
  readonly learned?: ReadonlyMap<string, number> | undefined;
}

/** What {@link Identities.settle} has done. */
export interface Settled {
  /** Profiles that are new, or whose facts are. */
  readonly renewed: ReadonlySet<Profile>;
  /** Those among them that name other ports than before. */
  readonly otherPorts: ReadonlySet<Profile>;
  /** Profiles that nobody has any more. */
  readonly gone: ReadonlySet<Profile>;
  /** Profiles that have become somebody's on this host, or are nobody's here any more. */
  readonly otherSubjects: ReadonlySet<Profile>;
  /** Numbers of endpoints that have another identity, or none any more. */
  readonly moved: ReadonlySet<number>;
  /** Keys of learned addresses that have come or gone, or are another identity now. */
  readonly movedLearned: ReadonlySet<string>;
}

/** What somebody is now. */
interface Described {
  readonly facts: Facts;
  readonly key: string;
}

interface LearnedEntry {
  learned: LearnedAddress;
  readonly bits: AddressBits;
  readonly slot: Slot;
}

/** Who everybody is to policy: from facts, and from what the documents ask for, to profiles and their numbers. */
export class Identities {
  readonly blocks = new BlockTable();
  readonly profiles = new ProfileTable(this.blocks);
  readonly #usedKeys = new Map<string, number>();
  readonly #endpoints = new NumberTable<EndpointEntry>();
  /** By canonical CIDR. */
  readonly #world = new Map<string, Slot>();
  /** By address as a prefix of its full length. */
  readonly #hosts = new Map<string, Slot>();
  /** By `learnedKey`. */
  readonly #learned = new Map<string, LearnedEntry>();
  readonly #domains = new DomainTable();
  readonly #seeds: IdentitySeeds;
  readonly #relevance;

  readonly #affected = new Set<Slot>();
  readonly #left = new Set<Profile>();
  readonly #renewed = new Set<Profile>();
  readonly #otherPorts = new Set<Profile>();
  readonly #otherSubjects = new Set<Profile>();
  readonly #moved = new Set<number>();
  readonly #movedLearned = new Set<string>();
  /** Blocks that have come or gone. */
  readonly #changedBlocks = new Set<Block>();

  constructor(seeds: IdentitySeeds) {
    this.#seeds = seeds;
    const isUsed = (key: string) => this.#usedKeys.has(key);
    this.#relevance = { isUsed, blocks: this.blocks, seeds: seeds.endpoints ?? new Map() };
    for (const { v4, v6 } of seeds.endpoints?.values() ?? []) this.profiles.skip([v4, v6]);
    this.profiles.skip(seeds.blocks?.values() ?? []);
    this.profiles.skip(seeds.learned?.values() ?? []);
  }

  endpoint(number: number): PolicyEndpoint | undefined {
    return this.#endpoints.get(number)?.endpoint;
  }

  /** Undefined before {@link Identities.settle}, and for no endpoint. */
  identityOf(number: number): { readonly v4: Profile; readonly v6: Profile } | undefined {
    const entry = this.#endpoints.get(number);
    const [v4, v6] = [entry?.v4.profile, entry?.v6.profile];
    return v4 && v6 && { v4, v6 };
  }

  /** Adds or replaces; undefined: removes. @throws VetchError INVALID: an address that is none; nothing is changed */
  setEndpoint(number: number, endpoint: PolicyEndpoint | undefined): void {
    for (const address of endpoint?.addresses ?? []) parseAddress(withoutLength(address));
    const entry = this.#endpoints.get(number);
    if (endpoint === undefined) {
      if (entry === undefined) return;
      for (const slot of [entry.v4, entry.v6]) this.#detach(slot);
      this.#endpoints.delete(number);
      this.#moved.add(number);
      return;
    }
    const current = entry ?? new EndpointEntry(number, endpoint, this.#relevance);
    if (entry) entry.endpoint = endpoint;
    else this.#endpoints.set(number, current);
    this.#affected.add(current.v4).add(current.v6);
  }

  get hostAddresses(): readonly string[] {
    return [...this.#hosts.keys()].map(withoutLength);
  }

  /** Replaces them all. @throws VetchError INVALID */
  setHostAddresses(addresses: Iterable<string>): void {
    const wanted = new Set([...addresses].map(fullLength));
    for (const [cidr, slot] of this.#hosts) {
      if (wanted.has(cidr)) continue;
      this.#hosts.delete(cidr);
      this.#detach(slot);
    }
    for (const cidr of wanted) {
      if (this.#hosts.has(cidr)) continue;
      const address = addressBits(cidr);
      const facts = () => addressFacts('host', this.blocks.longest(address));
      const slot: Slot = { endpoint: undefined, seed: this.#seeds.blocks?.get(cidr), facts, profile: undefined };
      this.#hosts.set(cidr, slot);
      this.#affected.add(slot);
    }
  }

  learned(key: string): LearnedAddress | undefined {
    return this.#learned.get(key)?.learned;
  }

  learnedAddresses(): Map<string, LearnedAddress> {
    return new Map([...this.#learned].map(([key, { learned }]) => [key, learned]));
  }

  /** Undefined before {@link Identities.settle}, and where no document names one of its domain names. */
  learnedIdentity(key: string): Profile | undefined {
    const profile = this.#learned.get(key)?.slot.profile;
    return profile && profile.facts.domains.length > 0 ? profile : undefined;
  }

  /** Adds or replaces; undefined: removes. @throws VetchError INVALID: an address that is none; nothing is changed */
  setLearned(key: string, learned: LearnedAddress | undefined): void {
    const entry = this.#learned.get(key);
    if (learned === undefined) {
      if (entry === undefined) return;
      this.#learned.delete(key);
      this.#detach(entry.slot);
    } else if (entry !== undefined) {
      entry.learned = learned;
      this.#affected.add(entry.slot);
    } else this.#addLearned(key, learned);
    this.#movedLearned.add(key);
  }

  #addLearned(key: string, learned: LearnedAddress): void {
    const bits = addressBits(learned.address);
    const facts = () => addressFacts('world', this.blocks.longest(bits), this.#domains.matching(entry.learned.names));
    const slot: Slot = {
      ...{ endpoint: undefined, learned: key, seed: this.#seeds.learned?.get(key), facts, profile: undefined },
    };
    const entry: LearnedEntry = { learned, bits, slot };
    this.#learned.set(key, entry);
    this.#affected.add(slot);
  }

  /** One more document lets somebody reach the names of a pattern. */
  useDomain(pattern: string): void {
    if (this.#domains.add(pattern)) this.#affectThoseNamed(pattern);
  }

  unuseDomain(pattern: string): void {
    if (this.#domains.remove(pattern)) this.#affectThoseNamed(pattern);
  }

  #affectThoseNamed(pattern: string): void {
    for (const { learned, slot } of this.#learned.values()) {
      if (learned.names.some((name) => matchesDomain(pattern, name))) this.#affected.add(slot);
    }
  }

  /** One more document asks for labels with this key. */
  useKey(key: string): void {
    const users = this.#usedKeys.get(key) ?? 0;
    this.#usedKeys.set(key, users + 1);
    if (users === 0) this.#affectThoseWith(key);
  }

  unuseKey(key: string): void {
    const users = this.#usedKeys.get(key) ?? 0;
    if (users > 1) {
      this.#usedKeys.set(key, users - 1);
      return;
    }
    this.#usedKeys.delete(key);
    this.#affectThoseWith(key);
  }

  /** One more document names this block. */
  useBlock(cidr: string): void {
    if (!this.blocks.add(cidr)) return;
    const block = this.blocks.get(cidr);
    if (block !== undefined) this.#changedBlocks.add(block);
    const facts = () => addressFacts('world', this.blocks.get(cidr));
    const slot: Slot = { endpoint: undefined, seed: this.#seeds.blocks?.get(cidr), facts, profile: undefined };
    this.#world.set(cidr, slot);
    this.#affected.add(slot);
  }

  unuseBlock(cidr: string): void {
    const block = this.blocks.get(cidr);
    if (block === undefined || !this.blocks.remove(cidr)) return;
    this.#changedBlocks.add(block);
    const slot = this.#world.get(cidr);
    this.#world.delete(cidr);
    if (slot !== undefined) this.#detach(slot);
  }

  /** The table `blocks`: all prefixes in use as the world's, and the host's addresses that lie in one. */
  blockIdentities(): Map<string, number> {
    const table = new Map<string, number>();
    for (const [cidr, { profile }] of this.#world) if (profile) table.set(cidr, profile.number);
    for (const [cidr, { profile }] of this.#hosts) if (profile?.facts.block) table.set(cidr, profile.number);
    return table;
  }

  /** Gives everybody the profile that its facts have now. @throws VetchError MAP_FULL: may be called again after it */
  settle(): Settled {
    if (this.#changedBlocks.size > 0) this.#followBlocks();
    const leaving = new Map<Profile, number>();
    const moving: { readonly slot: Slot; readonly seed: number | undefined; readonly now: Described }[] = [];
    const describe = describer();
    for (const slot of this.#affected) {
      const now = describe(slot);
      if (slot.profile !== undefined && slot.profile.key === now.key) {
        this.#affected.delete(slot);
        continue;
      }
      moving.push({ slot, seed: slot.seed, now });
      if (slot.profile !== undefined) leaving.set(slot.profile, (leaving.get(slot.profile) ?? 0) + 1);
    }
    // Those first for whose facts the kernel has a number: whoever else has these facts gets that one.
    moving.sort((a, b) => Number(a.seed === undefined) - Number(b.seed === undefined));
    const wantedKeys = new Map(moving.map(({ now }) => [now.key, now.facts]));
    // When all who have a profile leave it, and nobody comes, its number goes along: to the facts that it had before, else to
    // those of whoever is first.
    const isLeft = (profile: Profile): boolean =>
      leaving.get(profile) === profile.count && !wantedKeys.has(profile.key);
    for (const [key, facts] of wantedKeys) {
      const former = this.profiles.formerly(key);
      if (former !== undefined && isLeft(former)) this.#rename(former, key, facts);
    }
    for (const { slot, now } of moving) {
      const { key, facts } = now;
      const old = slot.profile;
      if (old !== undefined && isLeft(old) && !this.profiles.find(key) && !this.profiles.wasThere(key)) {
        this.#rename(old, key, facts);
      }
      if (old !== undefined) leaving.set(old, (leaving.get(old) ?? 1) - 1);
      if (old === undefined || old.key !== key)
        this.#move(slot, this.profiles.find(key) ?? this.#create(key, facts, slot));
      this.#affected.delete(slot);
    }
    const gone = new Set([...this.#left].filter(({ count }) => count === 0));
    for (const profile of gone) this.profiles.remove(profile);
    const settled = {
      renewed: without(this.#renewed, gone),
      otherPorts: without(this.#otherPorts, gone),
      otherSubjects: without(this.#otherSubjects, gone),
      gone,
      moved: new Set(this.#moved),
      movedLearned: new Set(this.#movedLearned),
    };
    this.#otherSubjects.clear();
    for (const done of [this.#renewed, this.#otherPorts, this.#left, this.#moved, this.#movedLearned]) done.clear();
    return settled;
  }

  #rename(profile: Profile, key: string, facts: Facts): void {
    if (!samePorts(profile.facts, facts)) this.#otherPorts.add(profile);
    this.profiles.rename(profile, key, facts);
    for (const { learned } of profile.users) if (learned !== undefined) this.#movedLearned.add(learned);
    this.#renewed.add(profile);
  }

  #create(key: string, facts: Facts, { seed }: Slot): Profile {
    const profile = this.profiles.create(key, facts, seed);
    this.#renewed.add(profile);
    return profile;
  }

  #move(slot: Slot, target: Profile): void {
    const old = slot.profile;
    if (old !== undefined) {
      this.#leave(slot, old);
    }
    target.count++;
    if (!slot.remote) target.users.add(slot);
    if (isSubject(slot) && target.subjects++ === 0) this.#otherSubjects.add(target);
    slot.profile = target;
    if (slot.endpoint !== undefined) this.#moved.add(slot.endpoint);
    if (slot.learned !== undefined) this.#movedLearned.add(slot.learned);
  }

  #detach(slot: Slot): void {
    this.#affected.delete(slot);
    if (slot.profile === undefined) return;
    this.#leave(slot, slot.profile);
  }

  #leave(slot: Slot, profile: Profile): void {
    profile.count--;
    profile.users.delete(slot);
    if (isSubject(slot) && --profile.subjects === 0) this.#otherSubjects.add(profile);
    this.#left.add(profile);
  }

  /** Looks at all: only the first document that asks for a key, and the last one, pay for it. */
  #affectThoseWith(labelKey: string): void {
    for (const { endpoint, v4, v6 } of this.#endpoints.values())
      if (hasPolicyLabel(endpoint, labelKey)) this.#affected.add(v4).add(v6);
  }

  /** Everybody whose longest block is another now is affected; what holds the others' blocks may have changed. */
  #followBlocks(): void {
    for (const entry of this.#endpoints.values()) {
      for (const family of [4, 6] as const) {
        const slot = family === 4 ? entry.v4 : entry.v6;
        if (entry.block(family)?.cidr !== slot.profile?.facts.block?.cidr) this.#affected.add(slot);
      }
    }
    for (const slot of this.#hosts.values()) this.#affected.add(slot);
    for (const { bits, slot } of this.#learned.values()) {
      if (this.blocks.longest(bits)?.cidr !== slot.profile?.facts.block?.cidr) this.#affected.add(slot);
    }
    const changed = [...this.#changedBlocks];
    for (const profile of this.profiles.values()) {
      const { block } = profile.facts;
      if (block !== undefined && changed.some((outer) => isInside(block, outer))) this.profiles.reindex(profile);
    }
    this.#changedBlocks.clear();
  }
}

/** Gives who somebody is now; twice the same where an endpoint's families come one after the other and do not differ. */
function describer(): (slot: Slot) => Described {
  let last: { readonly entry: EndpointEntry; readonly block: Block | undefined; readonly now: Described } | undefined;
  return (slot) => {
    if (!slot.entry) {
      const facts = slot.facts();
      return { facts, key: factsKey(facts) };
    }
    const { entry } = slot;
    const block = entry.block(slot === entry.v4 ? 4 : 6);
    if (last?.entry === entry && last.block === block) return last.now;
    const facts = entry.facts(block);
    last = { entry, block, now: { facts, key: factsKey(facts) } };
    return last.now;
  };
}

function isSubject({ endpoint, remote }: Slot): boolean {
  return endpoint !== undefined && remote !== true;
}

function without<Item>(items: ReadonlySet<Item>, others: ReadonlySet<Item>): ReadonlySet<Item> {
  return new Set([...items].filter((item) => !others.has(item)));
}
