import { KernelError } from '../../loader/kernel-error.ts';
import type { OwnKey, PublishedKey } from '../../model/wireguard.ts';
import type { Netlink } from '../../netlink/netlink.ts';
import type { ObservedPeer, WireguardDevice } from '../../netlink/wireguard.ts';
import type { WireguardControl } from '../../netlink/wireguard-control.ts';
import { deleteDevice, ensureSysctls } from '../apply/devices.ts';
import { closedDevice, wireguardDevices } from '../desired/devices.ts';
import type { Tunnel } from '../desired/tunnel.ts';
import type { NodeCrypt, PlacedNode } from '../remotes/remote-table.ts';
import { type EncryptedPath, type KeyedDevice, nodeCrypt, pathBetween } from './paths.ts';
import { planPeers, wantedPeers } from './peers.ts';
import { hasFailed, noTunnel, noWireguard, type Problem, portIsTaken } from './problems.ts';

export interface EncryptionOptions {
  /** Undefined: this kernel has no WireGuard. */
  readonly open: () => WireguardControl | undefined;
  /** Of this host, the newest last; the first is made when it is asked for. */
  readonly keys: () => readonly OwnKey[];
  /** Others are to know a key before the first network needs it. */
  readonly inAdvance: boolean;
}

interface Device extends KeyedDevice {
  readonly name: string;
  /** Where it was told that each peer is. */
  readonly told: Map<string, string>;
  /** It has its key and its port. */
  provided: boolean;
  open: boolean;
  observed?: WireguardDevice | undefined;
}

/** What encrypts between hosts, as long as some network needs it: a WireGuard device for each key, without any address. */
export class Encryption {
  readonly #netlink: Netlink;
  readonly #options: EncryptionOptions | undefined;
  #control: WireguardControl | undefined;
  #devices: Device[] = [];
  #sought = false;
  #problem: Problem | undefined;
  /** Whether some network is encrypted. */
  needed = false;

  constructor(netlink: Netlink, options: EncryptionOptions | undefined) {
    this.#netlink = netlink;
    this.#options = options;
  }

  close(): void {
    this.#control?.close();
    this.#control = undefined;
  }

  /** What is amiss; undefined: nothing. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Keys that others may use from now on, the newest last; empty: this kernel cannot, or the way in is closed. */
  published(): readonly OwnKey[] {
    if (this.needed) return this.devices.map(({ key }) => key);
    if (!this.#options?.inAdvance) return [];
    // A kernel that has none is not asked to load it again and again.
    if (!this.#sought) this.#supported();
    if (!this.#control) return [];
    try {
      return this.#options.keys();
    } catch (error) {
      // What is not encrypted needs none.
      this.#problem = hasFailed(error);
      return [];
    }
  }

  /** Those that are open, the newest last. */
  get devices(): readonly KeyedDevice[] {
    return this.#devices.filter(({ open }) => open);
  }

  /** Whether a device is one of ours that should be there. */
  has(ifindex: number): boolean {
    return this.#devices.some((device) => device.ifindex === ifindex);
  }

  /**
   * Has a device for each key there, or gone. A new one is down: what it receives must meet its program.
   *
   * @param tunnel where this host can be tunnelled to; undefined: nowhere
   * @returns whether one has come or gone
   * @throws KernelError
   */
  ensure(needed: boolean, tunnel: Tunnel | undefined): boolean {
    this.needed = needed;
    this.#problem = undefined;
    return this.#telling(() => this.#ensure(needed, tunnel));
  }

  #ensure(needed: boolean, tunnel: Tunnel | undefined): boolean {
    if (needed && !tunnel) this.#problem = noTunnel;
    if (needed && tunnel && !this.#supported()) this.#problem = noWireguard;
    const keys = needed && tunnel && !this.#problem ? (this.#options?.keys() ?? []) : [];
    const before = this.#devices;
    this.#devices = [];
    let changed = false;
    for (const [slot, name] of wireguardDevices.entries()) {
      const key = keys.find((one) => one.slot === slot);
      const found = this.#netlink.link(name);
      const stays = key !== undefined && found?.kind === 'wireguard';
      if (found && !stays) deleteDevice(this.#netlink, { ifindex: found.index });
      if (found ? !stays : key !== undefined) changed = true;
      if (!key || !tunnel) continue;
      const mtu = tunnel.wireguardMtu;
      const ifindex = stays ? found.index : this.#netlink.createLink({ name, kind: 'wireguard', mtu });
      if (stays && found.mtu !== mtu) this.#netlink.setLink(ifindex, { mtu });
      const known = before.find((one) => one.ifindex === ifindex && one.key.publicKey === key.publicKey);
      const told = known?.told ?? new Map<string, string>();
      this.#devices.push({ name, ifindex, key, told, provided: true, open: known?.open ?? false });
    }
    // Slots take turns: which is the newer one the order of the keys says.
    this.#devices.sort((a, b) => keys.indexOf(a.key) - keys.indexOf(b.key));
    for (const device of this.#devices) this.#provide(device);
    return changed;
  }

  /**
   * Lets packets in. One that cannot be opened stays closed, and nothing goes by it.
   *
   * @returns how many had been down, or had addresses
   * @throws KernelError
   */
  open(): number {
    return this.#telling(() => this.#open());
  }

  #open(): number {
    let repairs = 0;
    for (const device of this.#devices) {
      const { name, ifindex } = device;
      ensureSysctls(closedDevice(name));
      for (const { cidr } of this.#netlink.addresses({ ifindex })) {
        this.#netlink.deleteAddress(ifindex, cidr);
        repairs++;
      }
      const up = this.#netlink.link(ifindex)?.up === true;
      if (up) device.open = device.provided;
      if (!up) {
        device.open = this.#trying(device, () => this.#netlink.setLink(ifindex, { up: true }));
        repairs++;
      }
    }
    this.observe();
    return repairs;
  }

  /** Looks at who has agreed upon sessions with whom. */
  observe(): void {
    for (const device of this.#devices) device.observed = this.#control?.get(device.ifindex);
  }

  /** Has the devices talk to the other hosts' keys, and no others. @returns how many somebody else had changed */
  syncPeers(nodes: Iterable<PlacedNode>): number {
    return this.#telling(() => this.#syncPeers(nodes));
  }

  #syncPeers(nodes: Iterable<PlacedNode>): number {
    const own = new Set(this.#devices.map(({ key }) => key.publicKey));
    const wanted = wantedPeers(nodes, own);
    let repaired = 0;
    for (const device of this.#devices) {
      const observed = this.#control?.get(device.ifindex);
      if (!observed) continue;
      const { changes, repairs } = planPeers(wanted, observed.peers, device.told);
      try {
        if (changes.length > 0) this.#control?.set(device.ifindex, { peers: changes });
      } catch (error) {
        // Which of them it has taken nobody knows: what is missing next time nobody else has removed.
        device.told.clear();
        throw error;
      }
      repaired += repairs;
    }
    return repaired;
  }

  /** By which keys packets go to a node; undefined: by none. */
  pathTo(keys: readonly PublishedKey[]): EncryptedPath | undefined {
    return pathBetween(this.devices, this.#others(keys), (device, { publicKey }) => {
      return this.#devices.some(({ ifindex, observed }) => {
        return ifindex === device.ifindex && (observed?.peers.get(publicKey)?.lastHandshake ?? 0) > 0;
      });
    });
  }

  /** What the map `nodes` says of a node's keys. */
  of({ wireguard }: Pick<PlacedNode, 'wireguard'>): NodeCrypt {
    return nodeCrypt(this.pathTo(wireguard), this.#others(wireguard));
  }

  /** What the newest device that knows a key has of it; undefined: none does. */
  peer(publicKey: string): ObservedPeer | undefined {
    for (const { observed } of this.#devices.toReversed()) {
      const peer = observed?.peers.get(publicKey);
      if (peer) return peer;
    }
    return undefined;
  }

  /** A key that is this host's, too, leads nowhere: WireGuard has no peer for it. */
  #others(keys: readonly PublishedKey[]): readonly PublishedKey[] {
    return keys.filter(({ publicKey }) => this.#devices.every(({ key }) => key.publicKey !== publicKey));
  }

  /** What fails is a problem, too, until it is tried again. */
  #telling<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      this.#problem = hasFailed(error);
      throw error;
    }
  }

  #supported(): boolean {
    this.#sought = true;
    this.#control ??= this.#options?.open();
    return this.#control !== undefined;
  }

  #provide(device: Device): void {
    const { ifindex, key } = device;
    const found = this.#control?.get(ifindex);
    if (found?.privateKey === key.privateKey && found.port === key.port) return;
    const { privateKey, port } = key;
    device.provided = this.#trying(device, () => this.#control?.set(ifindex, { privateKey, port }));
    if (!device.provided) device.open = false;
  }

  /** @returns false: another socket has its port */
  #trying({ key }: Device, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (!KernelError.is(error, 'EADDRINUSE')) throw error;
      this.#problem = portIsTaken(key.port);
      return false;
    }
  }
}
