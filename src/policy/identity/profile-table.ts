import { Anchored } from '../compile/anchored.ts';
import { newRow } from '../compile/row.ts';
import {
  blockAnchor,
  domainAnchor,
  endpointAnchor,
  labelAnchor,
  labelKeyAnchor,
  namespaceAnchor,
  nodeAnchor,
} from '../compile/term.ts';
import {
  IDENTITY_FIRST_LOCAL,
  IDENTITY_HOST,
  IDENTITY_REMOTE_NODE,
  IDENTITY_WORLD,
  POLICY_EGRESS,
  POLICY_INGRESS,
} from '../decision.ts';
import type { BlockTable } from './blocks.ts';
import { IdentityNumbers } from './numbers.ts';
import { type Facts, factsKey, type Party, type Profile } from './profile.ts';

/** The profiles in use, by number and by what they have. */
export class ProfileTable {
  readonly #byKey = new Map<string, Profile>();
  readonly #byNumber = new Map<number, Profile>();
  readonly #anchored = new Anchored<Profile>();
  readonly #anchorsOf = new Map<Profile, readonly string[]>();
  readonly #numbers = new IdentityNumbers();
  readonly #blocks: BlockTable;
  /** Numbers of profiles that are gone, until {@link ProfileTable.sweep}. */
  readonly #retired = new Map<string, number>();
  /** Profiles by the facts that they had at the last sweep. */
  readonly #former = new Map<string, Profile>();
  readonly #hosts = new Set<Profile>();

  constructor(blocks: BlockTable) {
    this.#blocks = blocks;
    this.#reserve('host', IDENTITY_HOST);
    this.#reserve('world', IDENTITY_WORLD);
    this.#reserve('remote-node', IDENTITY_REMOTE_NODE);
  }

  get size(): number {
    return this.#byNumber.size;
  }

  values(): Iterable<Profile> {
    return this.#byNumber.values();
  }

  get(number: number): Profile | undefined {
    return this.#byNumber.get(number);
  }

  find(key: string): Profile | undefined {
    return this.#byKey.get(key);
  }

  /** The profile that had these facts before it was renamed; undefined where another has them, or it is gone. */
  formerly(key: string): Profile | undefined {
    const profile = this.#former.get(key);
    const isThere = profile !== undefined && this.#byNumber.get(profile.number) === profile;
    return isThere && !this.#byKey.has(key) ? profile : undefined;
  }

  /** Whether these facts had a number until now. */
  wasThere(key: string): boolean {
    return this.#retired.has(key);
  }

  /** Those that have one of the anchors. */
  withAnchors(anchors: readonly string[]): Iterable<Profile> {
    return this.#anchored.find(anchors);
  }

  /** The host, by all of its addresses. */
  get hosts(): ReadonlySet<Profile> {
    return this.#hosts;
  }

  anchors(profile: Profile): readonly string[] {
    return this.#anchorsOf.get(profile) ?? [];
  }

  /** Numbers that the kernel has: new ones come after them. */
  skip(numbers: Iterable<number>): void {
    this.#numbers.skip(numbers);
  }

  /** A profile without users. `wanted`: the number it should have, if nobody has it. @throws VetchError MAP_FULL */
  create(key: string, facts: Facts, wanted: number | undefined): Profile {
    const retired = this.#retired.get(key);
    this.#retired.delete(key);
    // What is below is reserved; 0 is what somebody has wiped.
    const mayHave = retired === undefined && wanted !== undefined && wanted >= IDENTITY_FIRST_LOCAL;
    const hasWanted = mayHave && this.#numbers.take(wanted);
    const number = retired ?? (hasWanted ? wanted : this.#numbers.allocate());
    return this.#insert(number, key, facts);
  }

  /** The profile keeps its number, and all who have it have other facts now. */
  rename(profile: Profile, key: string, facts: Facts): void {
    this.#byKey.delete(profile.key);
    if (!this.#former.has(profile.key)) this.#former.set(profile.key, profile);
    this.#unindex(profile);
    profile.key = key;
    profile.facts = facts;
    this.#byKey.set(key, profile);
    this.#index(profile);
  }

  /** Nobody has it any more. Its number is kept for it until the next sweep. */
  remove(profile: Profile): void {
    this.#byKey.delete(profile.key);
    this.#byNumber.delete(profile.number);
    this.#unindex(profile);
    this.#retired.set(profile.key, profile.number);
  }

  sweep(): void {
    for (const number of this.#retired.values()) this.#numbers.release(number);
    this.#retired.clear();
    this.#former.clear();
  }

  /** What holds the blocks has changed: the anchors of these profiles are others. */
  reindex(profile: Profile): void {
    this.#unindex(profile);
    this.#index(profile);
  }

  /** Profiles that the datapath knows by itself are never without a user. */
  #reserve(party: Party, number: number): void {
    const facts: Facts = { party, namespace: '', labels: new Map(), block: undefined, domains: [], onHost: false };
    this.#insert(number, factsKey(facts), facts).count++;
  }

  #insert(number: number, key: string, facts: Facts): Profile {
    const rows = [newRow(number, POLICY_INGRESS), newRow(number, POLICY_EGRESS)] as const;
    const profile: Profile = { number, key, facts, users: new Set(), count: 0, subjects: 0, terms: new Set(), rows };
    this.#byKey.set(key, profile);
    this.#byNumber.set(number, profile);
    this.#index(profile);
    return profile;
  }

  #index(profile: Profile): void {
    const { party, namespace, labels, block, domains } = profile.facts;
    const anchors: string[] = [];
    if (party === 'endpoint') anchors.push(endpointAnchor, namespaceAnchor(namespace));
    else if (party !== 'world') anchors.push(nodeAnchor);
    for (const [key, value] of labels) anchors.push(labelKeyAnchor(key), labelAnchor(key, value));
    for (const { cidr } of block === undefined ? [] : this.#blocks.chain(block)) anchors.push(blockAnchor(cidr));
    for (const pattern of domains) anchors.push(domainAnchor(pattern));
    if (party === 'host') this.#hosts.add(profile);
    this.#anchored.add(profile, anchors);
    this.#anchorsOf.set(profile, anchors);
  }

  #unindex(profile: Profile): void {
    this.#hosts.delete(profile);
    this.#anchored.remove(profile, this.anchors(profile));
    this.#anchorsOf.delete(profile);
  }
}
