import { setImmediate } from 'node:timers/promises';
import { u32Codec } from '../../maps/codec.ts';
import { EndpointFlag, endpointCodec, nodeCodec } from '../../maps/generated/abi.ts';
import { applyMaps, deleteEntries, setEntries } from '../apply/maps.ts';
import {
  isEntryOf,
  nodeAddrEntries,
  nodeEntry,
  nodeNumberEntries,
  nodeValueOf,
  passingRemoteEntries,
  remoteEntries,
} from '../desired/remotes.ts';
import type { Encryption } from '../encryption/encryption.ts';
import { keyText, type MapEntry, type RawEntry } from '../entry.ts';
import { entriesOf, type RawMaps } from '../observed/maps.ts';
import { PackedContents } from '../packed-contents.ts';
import { differenceOf, planMaps } from '../plan/maps.ts';
import { reachCount } from './numbers.ts';
import type { PlacedNode, PlacedRemote, RemoteChanges, RemoteTable } from './remote-table.ts';

/** Some milliseconds' worth. */
const aTurn = 1000;

/** Of the map `endpoints`, as far as it is on other hosts. */
interface RemoteDifference {
  /** What it holds beside what is as it should be; absent: nothing was taken apart. */
  readonly others?: readonly RawEntry[];
  /** What it is to hold, without what was taken apart. */
  readonly wanted: PackedContents;
}

/** What the maps `nodes` and `endpoints` hold of other hosts. An address that an endpoint of this host has is that one's. */
export class RemoteMaps {
  readonly #maps: RawMaps;
  readonly table: RemoteTable;
  /** How packets to other hosts are encrypted; absent: they are not. */
  encryption: Pick<Encryption, 'of'> | undefined;

  constructor(maps: RawMaps, table: RemoteTable) {
    this.#maps = maps;
    this.table = table;
  }

  /**
   * Where nodes are comes before who is there, and goes after.
   *
   * @param failed is told what could not be written; the rest is
   */
  apply({ come, gone, changed, nodes }: RemoteChanges, failed: (error: unknown) => void): void {
    const left = this.#placeNodes(nodes);
    for (const placed of [...changed.map(({ after }) => after), ...come]) {
      try {
        this.#enter(placed);
      } catch (error) {
        failed(error);
      }
    }
    for (const { before, after } of changed) this.withdraw(before, remoteEntries(after));
    for (const placed of gone) this.withdraw(placed);
    deleteEntries(this.#maps, left);
  }

  /**
   * Follows whose addresses clients ask.
   *
   * @param own those that this host tells the others of
   * @param failed is told what could not be written; the rest is
   * @returns whether one is somebody else's now, or nobody's
   */
  followAddresses(own: readonly string[], failed: (error: unknown) => void): boolean {
    const contents = new PackedContents();
    for (const entry of nodeAddrEntries(own, this.table.nodes)) contents.set(entry);
    const { changes, revokes } = planMaps([differenceOf('nodeAddrs', contents, entriesOf(this.#maps, 'nodeAddrs'))]);
    applyMaps(this.#maps, changes, failed);
    return revokes;
  }

  /** Has packets go by the keys that both ends have agreed upon by now, and those alone be accepted that each node has. */
  followKeys(): void {
    const stale = [...this.table.nodes].filter((node) => this.#isStale(node));
    this.#placeNodes(stale.map(({ number }) => number));
  }

  /**
   * Not of what another one has by now, which came from elsewhere with the same address.
   *
   * @param except entries whose keys stay
   */
  withdraw(placed: PlacedRemote, except: readonly MapEntry[] = []): void {
    const kept = new Set(except.map(({ key }) => keyText(key)));
    const own = remoteEntries(placed).filter(({ key }) => {
      const found = this.#at(key);
      return found?.isRemote === true && found.number === placed.number && !kept.has(keyText(key));
    });
    deleteEntries(this.#maps, own);
  }

  /**
   * Compares what `endpoints` holds with what it is to hold of other hosts. What is exactly so, as it almost always is, is
   * neither written down nor compared again. Other work runs now and then: a cluster has a hundred thousand.
   *
   * @param admits which endpoints on other hosts are to be in it
   */
  async compare(admits: (remote: PlacedRemote) => boolean): Promise<RemoteDifference> {
    // All entries are of this host's own then, which need not be kept to be compared.
    if (this.table.placed.size === 0) return { wanted: new PackedContents() };
    const found = new Map<PlacedRemote, number>();
    const others: RawEntry[] = [];
    for (const batch of this.#maps.endpoints.raw.batches()) {
      for (const [key, value] of batch) {
        const placed = this.#holder(key, value);
        if (placed && admits(placed)) found.set(placed, (found.get(placed) ?? 0) + 1);
        else others.push({ key, value });
      }
      await setImmediate();
    }
    const lacking = new PackedContents();
    let turn = 0;
    for (const placed of this.table.placed.values()) {
      if (!admits(placed) || found.get(placed) === reachCount(placed.reach)) continue;
      if (++turn % aTurn === 0) await setImmediate();
      for (const entry of passingRemoteEntries(placed)) {
        const holder = found.size > 0 ? this.#holderAt(entry.key) : undefined;
        // Two have one address: who comes last has it.
        if (holder && holder !== placed && admits(holder)) return { wanted: await this.#contents(admits) };
        if (holder !== placed) lacking.set(entry);
      }
    }
    return { others, wanted: lacking };
  }

  /** All of `endpoints` that is on other hosts. */
  async #contents(admits: (remote: PlacedRemote) => boolean): Promise<PackedContents> {
    const contents = new PackedContents();
    let turn = 0;
    for (const placed of this.table.placed.values()) {
      if (++turn % aTurn === 0) await setImmediate();
      if (admits(placed)) for (const entry of passingRemoteEntries(placed)) contents.set(entry);
    }
    return contents;
  }

  /** Whose entry of `endpoints` this is, exactly as it should be. Their number comes first in it. */
  #holder(key: Uint8Array, value: Uint8Array): PlacedRemote | undefined {
    const placed = this.table.numbered(u32Codec.decode(value));
    return placed && isEntryOf(placed, key, value) ? placed : undefined;
  }

  #holderAt(key: Uint8Array): PlacedRemote | undefined {
    const value = new Uint8Array(endpointCodec.size);
    return this.#maps.endpoints.raw.lookup(key, value) ? this.#holder(key, value) : undefined;
  }

  /** @returns entries of nodes that are gone, to be deleted once nobody is there any more */
  #placeNodes(numbers: Iterable<number>): MapEntry[] {
    const [there, left, former]: [MapEntry[], MapEntry[], MapEntry[]] = [[], [], []];
    for (const number of numbers) {
      const node = this.table.node(number);
      former.push(...this.#numbered(number));
      if (!node) left.push(nodeEntry(number, undefined));
      if (node) there.push(...this.#nodeEntries(node));
    }
    const current = new Set(there.map(({ key }) => keyText(key)));
    const free = former.filter(({ key }) => !current.has(keyText(key)));
    deleteEntries(this.#maps, free);
    setEntries(this.#maps, [...there, ...this.#inherited(free)]);
    return left;
  }

  /** A host that has come back under another name is there twice for a while: what one of them leaves is the other's. */
  #inherited(free: readonly MapEntry[]): MapEntry[] {
    if (free.length === 0) return [];
    const keys = new Set(free.map(({ key }) => keyText(key)));
    return [...this.table.nodes].flatMap((node) => {
      const [, ...numbers] = this.#nodeEntries(node);
      return numbers.filter(({ key }) => keys.has(keyText(key)));
    });
  }

  #nodeEntries(node: PlacedNode): [MapEntry, ...MapEntry[]] {
    const keyed = { ...node, crypt: this.encryption?.of(node) ?? {} };
    return [nodeEntry(node.number, keyed), ...nodeNumberEntries(node.number, nodeValueOf(keyed))];
  }

  #isStale(node: PlacedNode): boolean {
    const [{ key, value }] = this.#nodeEntries(node);
    const found = new Uint8Array(value.length);
    return !this.#maps.nodes.raw.lookup(key, found) || !Buffer.from(found).equals(value);
  }

  #enter(placed: PlacedRemote): void {
    setEntries(
      this.#maps,
      remoteEntries(placed).filter(({ key }) => this.#at(key)?.isRemote !== false),
    );
  }

  /** What says that a node has its number, as the kernel has it. Another one may have come with its address or its key. */
  #numbered(number: number): MapEntry[] {
    const value = new Uint8Array(nodeCodec.size);
    if (!this.#maps.nodes.raw.lookup(nodeEntry(number, undefined).key, value)) return [];
    return nodeNumberEntries(number, nodeCodec.decode(value)).filter((entry) => {
      const found = new Uint8Array(entry.value.length);
      return this.#maps.nodeNumbers.raw.lookup(entry.key, found) && Buffer.from(found).equals(entry.value);
    });
  }

  #at(key: Uint8Array): { readonly number: number; readonly isRemote: boolean } | undefined {
    const value = new Uint8Array(endpointCodec.size);
    if (!this.#maps.endpoints.raw.lookup(key, value)) return undefined;
    const { number, flags } = endpointCodec.decode(value);
    return { number, isRemote: (flags & EndpointFlag.REMOTE) !== 0 };
  }
}
