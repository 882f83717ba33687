import { setImmediate } from 'node:timers/promises';
import type { ConntrackFilter } from '../../api/schemas/conntrack.ts';
import type { Program } from '../../loader/program.ts';
import { encoded } from '../../maps/codec.ts';
import {
  type Collect,
  CollectFilter,
  CollectMode,
  collectCodec,
  type LearnedKey,
  learnedKeyCodec,
} from '../../maps/generated/abi.ts';
import type { Maps } from '../../maps/open.ts';
import type { Peers, RefNames } from '../peers.ts';
import { parseProtocol } from '../protocol.ts';
import type { Collected, CollectProgram } from './collector.ts';
import { EntryBytes } from './entry.ts';
import { compileEntryFilter, type EntryFilter } from './filter.ts';

/** A filter is given to the kernel when it takes no more walks over the map than this. */
const maxWalks = 16;

/** Entries between two turns of others. */
const slice = 1024;

/** Flows that come while others are flushed are flushed in the next round; then it is enough. */
const maxRounds = 3;

const everything: Collect = {
  mode: CollectMode.MATCHING,
  filter: 0,
  network: 0,
  port: 0,
  protocol: 0,
  addr: new Uint8Array(16),
  visited: 0,
  deleted: 0,
};

/** Runs `conntrack_collect` (bpf/collect.bpf.c), which judges each entry where it lies. The program stays the caller's. */
export class ConntrackCollect implements CollectProgram {
  readonly #program: Program;
  readonly #conntrack: Maps['conntrack'];
  readonly #learnedInUse: Maps['learnedInUse'];

  constructor(program: Program, { conntrack, learnedInUse }: Pick<Maps, 'conntrack' | 'learnedInUse'>) {
    this.#program = program;
    this.#conntrack = conntrack;
    this.#learnedInUse = learnedInUse;
  }

  async expire(): Promise<Collected> {
    const { visited, deleted } = this.#run({ ...everything, mode: CollectMode.EXPIRED });
    return { live: Math.max(0, visited - deleted), deleted };
  }

  /** As {@link ConntrackCollect.expire}; gives which of the expired entries of `learned` have a flow. */
  async expireAndFindUse(): Promise<Collected & { readonly inUse: readonly LearnedKey[] }> {
    this.#takeInUse();
    const { visited, deleted } = this.#run({
      ...everything,
      mode: CollectMode.EXPIRED,
      filter: CollectFilter.LEARNED,
    });
    return { live: Math.max(0, visited - deleted), deleted, inUse: this.#takeInUse() };
  }

  #takeInUse(): LearnedKey[] {
    const keys = [...this.#learnedInUse.rawEntries()].map(([key]) => key);
    this.#learnedInUse.deleteManyRaw(keys);
    return keys.map((key) => learnedKeyCodec.decode(key));
  }

  /** Ends every flow of an endpoint that is gone: who gets its address next inherits none. */
  async forget(network: number, addresses: readonly Uint8Array[]): Promise<number> {
    const filter = CollectFilter.BY_NETWORK | CollectFilter.BY_ADDRESS;
    let deleted = 0;
    for (const addr of addresses) deleted += this.#run({ ...everything, filter, network, addr }).deleted;
    return deleted;
  }

  /** Ends every flow of a wire. */
  async forgetWire(network: number): Promise<number> {
    return this.#run({ ...everything, filter: CollectFilter.BY_NETWORK, network }).deleted;
  }

  async flush(filter: ConntrackFilter, names: RefNames): Promise<number> {
    const walks = kernelFilters(filter, names);
    if (walks) {
      let deleted = 0;
      for (const walk of walks) {
        deleted += this.#run(walk).deleted;
        await setImmediate();
      }
      return deleted;
    }
    const deleted = await this.#flushHere(compileEntryFilter(filter, names));
    // What the flows were charged with is given back by a count.
    await this.expire();
    return deleted;
  }

  #run(collect: Collect): Collect {
    const { contextOut } = this.#program.testRun({ context: encoded(collectCodec, collect) });
    return collectCodec.decode(contextOut, 0);
  }

  /**
   * For filters that the kernel's program does not know. Safe where collecting what has expired would not be: a flow
   * that is refreshed meanwhile still matches, and it is to go.
   */
  async #flushHere(matches: EntryFilter): Promise<number> {
    let flushed = 0;
    for (let round = 0; round < maxRounds; round++) {
      const found = await this.#matching(matches);
      if (found.length === 0) break;
      for (let at = 0; at < found.length; at += slice) {
        flushed += this.#deleteFlows(found.slice(at, at + slice), matches);
        await setImmediate();
      }
    }
    return flushed;
  }

  async #matching(matches: EntryFilter): Promise<Uint8Array[]> {
    const entry = new EntryBytes();
    const found: Uint8Array[] = [];
    for (const batch of this.#conntrack.raw.batches()) {
      for (const [key, value] of batch) if (matches(entry.set(key, value))) found.push(key);
      await setImmediate();
    }
    return found;
  }

  /** Both halves of a translated flow go together, and count as one. */
  #deleteFlows(keys: readonly Uint8Array[], matches: EntryFilter): number {
    const { raw } = this.#conntrack;
    const entry = new EntryBytes();
    const value = new Uint8Array(raw.valueSize);
    let deleted = 0;
    for (const key of keys) {
      if (!raw.lookup(key, value) || !matches(entry.set(key, value))) continue;
      const other = entry.isTranslated ? entry.otherKey() : undefined;
      if (raw.delete(key)) deleted++;
      if (other) raw.delete(other);
    }
    return deleted;
  }
}

/**
 * The same filter in the kernel's terms: one walk for each combination of its values. Undefined where it says what the
 * kernel's program cannot tell: a direction, a state, a prefix, an identity, a destination port alone.
 */
export function kernelFilters(filter: ConntrackFilter, names: RefNames): Collect[] | undefined {
  if (filter.from.length + filter.to.length + filter.port.length + filter.state.length > 0) return undefined;
  const peers = filter.endpoint.length > 0 ? names.peers(filter.endpoint) : undefined;
  if (peers && !onlyAddresses(peers)) return undefined;
  const { BY_ADDRESS, BY_NETWORK, BY_PROTOCOL } = CollectFilter;
  let walks: Collect[] = [everything];
  const each = <T>(flag: number, values: readonly T[], field: (value: T) => Partial<Collect>) => {
    walks = walks.flatMap((walk) => values.map((value) => ({ ...walk, filter: walk.filter | flag, ...field(value) })));
  };
  if (peers) each(BY_ADDRESS, peers.addresses, (addr) => ({ addr }));
  if (filter.network.length > 0) each(BY_NETWORK, names.networks(filter.network), (network) => ({ network }));
  if (filter.protocol.length > 0) {
    each(BY_PROTOCOL, filter.protocol, (text) => ({ protocol: parseProtocol(text).protocol }));
  }
  return walks.length <= maxWalks ? walks : undefined;
}

function onlyAddresses({ prefixes, identities }: Peers): boolean {
  return prefixes.length === 0 && identities.length === 0;
}
