import { execFileSync } from 'node:child_process';
import { NamespaceType, unshare } from '../../../src/loader/ffi/libc.ts';
import { Netlink } from '../../../src/netlink/netlink.ts';
import { createNetns, type Netns, withNetns } from '../../../src/netlink/netns.ts';
import { hasWireguard } from './key-pair.ts';
import { Sandbox } from './sandbox.ts';
import { TunnelHost, type WideName, wideEndpoint } from './tunnel-host.ts';
import { Wire } from './wire.ts';

/** What lies under the tunnels. */
export interface Underlay {
  readonly name: string;
  /** Of the hosts' addresses. */
  readonly prefix: string;
  /** The uplink is known, so that single packets of IPv4 go past the overlay's device. */
  readonly uplinks: boolean;
  /** The network is encrypted: all goes by WireGuard's device, or one that stands for it. */
  readonly encrypted?: 'wireguard' | 'wire';
}

const simple = { prefix: '192.0.2.', uplinks: true };
export const wireUnderlay: Underlay = { ...simple, name: 'IPv4, encrypted', encrypted: 'wire' };
export const wireguardUnderlay: Underlay = { ...simple, name: 'IPv4, encrypted by WireGuard', encrypted: 'wireguard' };

/** The device that stands for WireGuard is among them only where the kernel has none. */
export const underlays: readonly Underlay[] = [
  { name: 'IPv4', prefix: '192.0.2.', uplinks: false },
  { name: 'IPv6', prefix: '2001:db8:f::', uplinks: false },
  { name: 'IPv4 past the device', prefix: '192.0.2.', uplinks: true },
  { name: 'IPv6 with a known uplink', prefix: '2001:db8:f::', uplinks: true },
  ...(hasWireguard() ? [] : [wireUnderlay]),
];

/** Addresses of keys: of each host two, and one that is nobody's. */
const keys = {
  near: ['fd11:1111::1', 'fd11:1111::2'],
  far: ['fd22:2222::1', 'fd22:2222::2'],
  third: ['fd33:3333::1', 'fd33:3333::2'],
  stranger: 'fd99:9999::1',
} as const;

/** Numbers of the endpoints on their hosts. */
export const numbers = { x: 17, y: 18, z: 19 } as const;

/** The address of an endpoint. */
export const at = (name: WideName, family: 4 | 6) => wideEndpoint(name)[`ip${family}`];

/** A switch for hosts to be on. */
export function createFabric(): Netns {
  const fabric = createNetns();
  withNetns(fabric, () => {
    execFileSync('ip', ['link', 'add', 'switch', 'up', 'type', 'bridge', 'mcast_snooping', '0']);
  });
  return fabric;
}

/** Mounts of this process's own, for the pins of hosts. It cannot be left again. */
export function enterMounts(): void {
  unshare(NamespaceType.MOUNT);
  execFileSync('mount', ['--make-rprivate', '/']);
}

/** Hosts in namespaces, each with programs and maps of its own, and the kernel's VXLAN between them. */
export class ThreeHosts implements AsyncDisposable {
  readonly #fabric = createFabric();
  /** Has `x` and `y`. */
  readonly near: TunnelHost;
  /** Has `z`. */
  readonly far: TunnelHost;
  /** Has nobody. */
  readonly third: TunnelHost;
  /** An address of `far`'s, or a key's, that no host knows it by. */
  readonly stranger: string;
  readonly #wires: Wire[] = [];

  private constructor({ prefix, uplinks, encrypted }: Underlay) {
    const also = [`${prefix}99`];
    this.stranger = encrypted ? keys.stranger : `${prefix}99`;
    const of = (name: 'near' | 'far' | 'third') =>
      encrypted ? { keys: keys[name], wireguard: encrypted === 'wireguard' } : {};
    this.near = TunnelHost.create('near', `${prefix}1`, this.#fabric, of('near'));
    this.far = TunnelHost.create('far', `${prefix}2`, this.#fabric, { also, ...of('far') });
    this.third = TunnelHost.create('third', `${prefix}3`, this.#fabric, of('third'));
    if (uplinks) for (const host of [this.near, this.far, this.third]) host.joinUplink();
    this.near.addContainer('x', numbers.x);
    this.near.addContainer('y', numbers.y);
    this.far.addContainer('z', numbers.z);
    this.near.addNode(1, this.far, ['z']);
    this.near.addNode(2, this.third, []);
    this.far.addNode(1, this.near, ['x', 'y']);
    this.third.addNode(1, this.near, ['x', 'y']);
  }

  /** Somebody on the hosts' wire who is none of them. @param addresses with their lengths */
  addClient(...addresses: readonly string[]): Sandbox {
    const client = new Sandbox(createNetns());
    {
      using netlink = Netlink.open(client.netns);
      netlink.createVeth({ name: 'eth0', peer: { name: 'client', netns: this.#fabric }, up: true });
    }
    withNetns(this.#fabric, () => execFileSync('ip', ['link', 'set', 'client', 'master', 'switch', 'up']));
    client.ip('link set lo up', ...addresses.map((address) => `address add ${address} dev eth0 nodad`));
    return client;
  }

  /** Has the switch take what XDP programs send by the uplinks. A veth does if it has GRO. */
  takeFromXdp(): void {
    withNetns(this.#fabric, () => {
      for (const port of ['near', 'far', 'third']) execFileSync('ethtool', ['-K', port, 'gro', 'on']);
    });
  }

  static async create(underlay: Underlay): Promise<ThreeHosts> {
    const hosts = new ThreeHosts(underlay);
    if (!underlay.encrypted) return hosts;
    const ends = [hosts.near, hosts.far, hosts.third];
    if (underlay.encrypted === 'wireguard') {
      for (const end of ends) end.meet(ends.filter((other) => other !== end));
      return hosts;
    }
    const wire = await Wire.between(...ends);
    for (const end of ends) end.wire = wire;
    hosts.#wires.push(wire);
    return hosts;
  }

  /** Ends what runs in the containers, and has all as it was at first. */
  async restore(): Promise<void> {
    const { near, far } = this;
    for (const sandbox of [near.container('x'), near.container('y'), far.container('z')]) await sandbox.stop();
    near.release('x', numbers.x);
    near.release('y', numbers.y);
    far.release('z', numbers.z);
    near.addNode(1, far, ['z']);
    for (const { maps } of [near, far]) {
      for (const map of [maps.conntrack, maps.fragments, maps.policy]) {
        map.deleteManyRaw([...map.rawEntries()].map(([key]) => key));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const wire of this.#wires) await wire[Symbol.asyncDispose]();
    for (const host of [this.near, this.far, this.third]) await host[Symbol.asyncDispose]();
    this.#fabric.close();
  }
}
