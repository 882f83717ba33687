import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attachCgroup } from '../../../src/loader/link/cgroup.ts';
import type { Link } from '../../../src/loader/link/link.ts';
import { attachXdp } from '../../../src/loader/link/xdp.ts';
import { BpfObject } from '../../../src/loader/object.ts';
import type { Program } from '../../../src/loader/program.ts';
import {
  ConfigFlag,
  DropReason,
  EndpointFlag,
  NetworkFlag,
  PolicyDirection,
  PublishFlag,
  StandingFlag,
  UplinkFlag,
} from '../../../src/maps/generated/abi.ts';
import { type Maps, openMaps } from '../../../src/maps/open.ts';
import { linkLocalFromMac, parseAddress, parseMac } from '../../../src/model/address.ts';
import { Netlink } from '../../../src/netlink/netlink.ts';
import { createNetns, type Netns, withNetns } from '../../../src/netlink/netns.ts';
import { nodeValue } from '../../../src/reconcile/desired/remotes.ts';
import { policyHalf } from '../../../src/reconcile/policy/encode.ts';
import type { NodeCrypt } from '../../../src/reconcile/remotes/remote-table.ts';
import { fillRemote, plannedConfig } from '../world/fill.ts';
import { endpoints, memberNode, networks, overlay, type PlannedRemote, remotes } from '../world/plan.ts';
import { countDrops, newDrops, type Outcome, smallMaps } from '../world/world.ts';
import { keyPair } from './key-pair.ts';
import { Sandbox } from './sandbox.ts';
import { inCryptTunnel, type Wire, wireDevice } from './wire.ts';

/** An endpoint of the network `wide`, wherever it is. */
export type WideName = 'x' | 'y' | 'z' | 'u';

const wide = networks.wide;
const none = new Uint8Array(16);
const programs = new URL('../../lab/programs/', import.meta.url).pathname;
const wireguardPort = 51_820;

/** What all hosts know of it. Numbers are each host's own. */
export function wideEndpoint(name: WideName): Omit<PlannedRemote, 'node' | 'number'> {
  return name === 'x' || name === 'y' ? endpoints[name] : remotes[name];
}

interface Link64 {
  readonly address: string;
  readonly stats64: Record<'tx' | 'rx', { readonly packets: number; readonly errors: number }>;
}

interface TunnelHostOptions {
  readonly also?: readonly string[];
  readonly keys?: readonly string[];
  readonly wireguard?: boolean;
}

type Objects = ReadonlyMap<'endpoint' | 'overlay' | 'uplink' | 'socket' | 'xdp', BpfObject>;

/** A host of its own: programs and maps that no other sees, a way to the others, containers. */
export class TunnelHost extends Sandbox {
  readonly maps: Maps;
  /** Where its tunnels end. */
  readonly address: string;
  /** Addresses of its keys, where the network is encrypted; the first is what others send to. */
  readonly keys: readonly string[];
  readonly pair = keyPair();
  /** What its WireGuard device is connected to. */
  wire: Wire | undefined;
  readonly #netlink: Netlink;
  readonly #objects: Objects;
  readonly #containers = new Map<WideName, Sandbox>();
  readonly #links: Link[] = [];
  #members: number[] = [];
  #joined = false;

  private constructor(netns: Netns, address: string, keys: readonly string[], maps: Maps, objects: Objects) {
    super(netns);
    this.address = address;
    this.keys = keys;
    this.maps = maps;
    this.#netlink = Netlink.open(netns);
    this.#objects = objects;
  }

  /**
   * @param fabric has a bridge `switch`
   * @param also further addresses on it, which no node is known by
   * @param keys addresses of its keys, where the network is encrypted; the first is what others send to
   * @param wireguard by the kernel's WireGuard, and not by a device that stands for it
   */
  static create(
    name: string,
    address: string,
    fabric: Netns,
    { also = [], keys = [], wireguard = false }: TunnelHostOptions = {},
  ): TunnelHost {
    const bpffs = mkdtempSync(join(tmpdir(), 'vetch-tunnel-'));
    execFileSync('mount', ['-t', 'bpf', 'bpf', bpffs]);
    const pinMaps = join(bpffs, 'maps');
    mkdirSync(pinMaps);
    const load = (object: string) => {
      const path = new URL(`../../../bpf/build/${object}.bpf.o`, import.meta.url).pathname;
      return BpfObject.load(path, { pinMaps, maxEntries: smallMaps });
    };
    // All maps are in some object.
    for (const rest of ['host', 'lan', 'shaper', 'collect']) load(rest).close();
    const objects = new Map([
      ['endpoint', load('endpoint')],
      ['overlay', load('overlay')],
      ['uplink', load('uplink')],
      ['socket', load('socket')],
      ['xdp', load('xdp')],
    ] as const);
    const netns = createNetns();
    const host = new TunnelHost(netns, address, keys, openMaps(pinMaps), objects);
    host.#netlink.createVeth({ name: 'uplink0', peer: { name, netns: fabric }, up: true });
    const length = address.includes(':') ? '64 nodad' : '24';
    withNetns(fabric, () => {
      execFileSync('ip', ['link', 'set', name, 'master', 'switch', 'up']);
    });
    host.ip(
      'link set lo up',
      'link set uplink0 up',
      ...[address, ...also].map((one) => `address add ${one}/${length} dev uplink0`),
      'link add vetch0 type veth peer name vetch1',
      `link add ${overlay.device} type vxlan external dstport 4789`,
      `link set ${overlay.device} up`,
    );
    host.#attach(overlay.device, 'overlay', 'from_overlay');
    if (host.key !== undefined) {
      host.ip(wireguard ? `link add ${wireDevice} type wireguard` : `tuntap add dev ${wireDevice} mode tun vnet_hdr`);
      host.ip(`link set ${wireDevice} mtu 1440 up`);
      host.sysctl(`ipv6/conf/${wireDevice}/disable_ipv6`, 1);
      host.#attach(wireDevice, 'overlay', 'from_wireguard');
    }
    host.#fill();
    return host;
  }

  #attach(device: string, object: 'endpoint' | 'overlay' | 'uplink', name: string): void {
    const ifindex = this.index(device);
    const fd = this.#objects.get(object)?.program(name).fd ?? -1;
    this.#netlink.addClsact(ifindex);
    this.#netlink.addBpfFilter({ ifindex, parent: 'ingress', fd, name });
  }

  /** The uplink is none of ours: all goes by the overlay's device. */
  leaveUplink(): void {
    this.maps.uplinks.delete(this.index('uplink0'));
  }

  /** Has the programs see what the uplink brings, and send by it themselves what is simple enough. */
  joinUplink(): void {
    if (!this.#joined) {
      this.sysctl('ipv4/conf/vetch0/forwarding', 1);
      this.ip('link set vetch0 up', 'link set vetch1 up');
      this.#attach('uplink0', 'uplink', 'from_uplink');
      this.#joined = true;
    }
    const masquerade = [parseAddress(this.address), none];
    const [masquerade4, masquerade6] = this.address.includes(':') ? masquerade.reverse() : masquerade;
    this.maps.uplinks.set(this.index('uplink0'), {
      ...{ flags: 0, mtu: 1500, masquerade4: masquerade4 ?? none, masquerade6: masquerade6 ?? none },
    });
    this.maps.hostAddrs.set(parseAddress(this.address), { ifindex: this.index('uplink0'), network: 0 });
  }

  /** Has what other hosts answer for be sent on by XDP at the uplink, whose far end has to take what XDP sends. */
  sendBeforeStack(): Program {
    const index = this.index('uplink0');
    const [uplink, config] = [this.maps.uplinks.get(index), this.maps.config.get(0)];
    const program = this.#objects.get('xdp')?.program('xdp_uplink');
    if (!uplink || !config || !program) throw new Error('the uplink is none of ours');
    this.#links.push(withNetns(this.netns, () => attachXdp({ program, ifindex: index, mode: 'native' })));
    this.maps.uplinks.set(index, { ...uplink, flags: uplink.flags | UplinkFlag.XDP_TRANSMITS });
    this.maps.config.set(0, { ...config, flags: config.flags | ConfigFlag.STRAIGHT_BY_XDP });
    return program;
  }

  /** Has the programs see what processes of a cgroup connect and send to. */
  watchSockets(cgroupPath: string): void {
    for (const [name, attachType] of [
      ['sock_connect4', 'CGROUP_INET4_CONNECT'],
      ['sock_connect6', 'CGROUP_INET6_CONNECT'],
      ['sock_sendmsg4', 'CGROUP_UDP4_SENDMSG'],
      ['sock_sendmsg6', 'CGROUP_UDP6_SENDMSG'],
    ] as const) {
      const program = this.#objects.get('socket')?.program(name);
      if (program) this.#links.push(attachCgroup({ program, cgroupPath, attachType }));
    }
  }

  /** Gives the uplink one more address that clients reach. @param cidr with its length */
  addAddress(cidr: string): void {
    this.ip(`address add ${cidr} dev uplink0 nodad`);
    this.sysctl('ipv6/conf/vetch0/forwarding', 1);
    const addr = parseAddress(cidr.slice(0, cidr.indexOf('/')));
    this.maps.hostAddrs.set(addr, { ifindex: this.index('uplink0'), network: 0 });
  }

  /**
   * Has a port lead to a container: on its own host from the others, on the others from outside.
   *
   * @param straight its own host answers who asks another one
   */
  publish(name: WideName, protocol: number, hostPort: number, port: number, { straight = false } = {}): void {
    const { ip4, ip6 } = wideEndpoint(name);
    for (const [any, own] of [
      ['0.0.0.0', ip4],
      ['::', ip6],
    ] as const) {
      const addr = parseAddress(own);
      const value = { addr, network: wide.number, port };
      const here = this.#containers.has(name);
      if (here) this.maps.published.set({ addr, port, protocol }, { ...value, flags: PublishFlag.BY_NODE });
      const flags = (here ? PublishFlag.NONE : PublishFlag.REMOTE) | (straight ? PublishFlag.STRAIGHT : 0);
      const key = { addr: parseAddress(any), port: hostPort, protocol };
      if (!here || straight) this.maps.published.set(key, { ...value, flags });
    }
  }

  /** Another host is gone. */
  removeNode(number: number, { address, key }: TunnelHost): void {
    this.maps.nodes.set(number, nodeValue());
    for (const one of [address, ...(key === undefined ? [] : [key])]) this.maps.nodeNumbers.delete(parseAddress(one));
    this.judgeAgain();
  }

  /** What the control plane does when the host has IPsec policies, or none any more. */
  tunnelByDevice(always: boolean): void {
    const config = this.maps.config.get(0);
    const flags = always ? ConfigFlag.TUNNELS_BY_DEVICE : 0;
    if (config) this.maps.config.set(0, { ...config, flags });
  }

  #fill(): void {
    this.maps.config.set(0, {
      ...plannedConfig,
      hostNetns: this.netns.cookie,
      hostIfindex: this.index('vetch0'),
      overlayIfindex: this.index(overlay.device),
    });
    this.maps.nodes.set(0, nodeValue(parseAddress(this.address)));
    this.#putNetwork();
    // A network of this host's own: no tunnel leads to it.
    const own = this.maps.networks.get(wide.number);
    if (own) this.maps.networks.set(networks.blue.number, { ...own, flags: NetworkFlag.PRESENT });
  }

  /** Has its WireGuard talk to that of others, and let each send under its address alone. */
  meet(others: readonly TunnelHost[]): void {
    const peers = others.map(({ address, key, pair }) => ({
      ...{ publicKey: pair.publicKey, address, port: wireguardPort, allowed: key },
    }));
    const config = JSON.stringify({ privateKey: this.pair.privateKey, port: wireguardPort, peers });
    withNetns(this.netns, () => {
      execFileSync('python3', [`${programs}wireguard.py`, wireDevice, config], { stdio: ['ignore', 'ignore', 'pipe'] });
    });
  }

  get key(): string | undefined {
    return this.keys[0];
  }

  /** Whether the network is encrypted, or was. */
  encrypt(encrypted: boolean): void {
    const known = this.maps.networks.get(wide.number);
    const others = (known?.flags ?? 0) & ~NetworkFlag.ENCRYPTED;
    if (known)
      this.maps.networks.set(wide.number, { ...known, flags: others | (encrypted ? NetworkFlag.ENCRYPTED : 0) });
  }

  #putNetwork(): void {
    for (const [slot, member] of this.#members.entries()) {
      this.maps.members.set({ network: wide.number, slot }, member);
    }
    this.maps.networks.set(wide.number, {
      flags: NetworkFlag.PRESENT | NetworkFlag.OVERLAY | (this.key === undefined ? 0 : NetworkFlag.ENCRYPTED),
      mtu: this.mtu,
      members: this.#members.length,
      gateway4: parseAddress(wide.gateway4),
      gateway6: parseAddress(wide.gateway6),
      broadcast4: parseAddress(wide.broadcast4),
      masquerade4: none,
      masquerade6: none,
    });
  }

  /** Of the network, over an underlay that takes 1500. */
  get mtu(): number {
    const v6 = this.address.includes(':');
    if (this.key !== undefined) return 1500 - (v6 ? 80 : 60) - 70;
    return 1500 - (v6 ? 70 : 50);
  }

  container(name: WideName): Sandbox {
    const found = this.#containers.get(name);
    if (!found) throw new Error(`${name} is not on this host`);
    return found;
  }

  /** Starts a container of the network here. @param number of the endpoint on this host */
  addContainer(name: WideName, number: number): Sandbox {
    const { mac, ip4, ip6, identity } = wideEndpoint(name);
    const container = new Sandbox(createNetns());
    const device = `vt${number}`;
    this.#netlink.createVeth({ name: device, peer: { name: 'eth0', mac, netns: container.netns }, up: true });
    container.sysctl('ipv6/conf/eth0/accept_dad', 0);
    container.ip(
      'link set lo up',
      `link set eth0 mtu ${this.mtu} up`,
      `address add ${ip4}/16 dev eth0`,
      `address add ${ip6}/64 dev eth0 nodad`,
      'route add default via 10.110.0.1',
    );
    this.#attach(device, 'endpoint', 'from_endpoint');
    const ifindex = this.index(device);
    const [v4, v6, linkLocal] = [parseAddress(ip4), parseAddress(ip6), linkLocalFromMac(parseMac(mac))];
    const common = { number, network: wide.number, mac: parseMac(mac), flags: 0, ifindex };
    this.maps.interfaces.set(ifindex, { ...common, v4, v6, linkLocal, lanIfindex: 0 });
    for (const addr of [v4, v6, linkLocal]) {
      this.maps.endpoints.set({ network: wide.number, addr }, { ...common, flags: EndpointFlag.NONE });
    }
    this.#stand(number, identity, 0);
    this.#members = [ifindex, ...this.#members];
    this.#putNetwork();
    this.#containers.set(name, container);
    return container;
  }

  /** Stops a container here. */
  async removeContainer(name: WideName): Promise<void> {
    const container = this.container(name);
    this.#containers.delete(name);
    await container[Symbol.asyncDispose]();
  }

  /** Has this host know another one, and who is there. @param crypt of its keys, other than they are */
  addNode(number: number, { address, key }: TunnelHost, names: readonly WideName[], crypt: NodeCrypt = {}): void {
    const keys =
      this.key === undefined || key === undefined
        ? {}
        : { from: parseAddress(this.key), to: parseAddress(key), ifindex: this.index(wireDevice), ...crypt };
    this.maps.nodes.set(number, nodeValue(parseAddress(address), keys));
    for (const one of [address, ...(key === undefined ? [] : [key])]) {
      this.maps.nodeNumbers.set(parseAddress(one), number);
    }
    // One slot a node, whatever is there.
    if (!this.#members.includes(memberNode + number)) this.#members = [...this.#members, memberNode + number];
    for (const [index, name] of names.entries()) {
      fillRemote(this.maps, { ...wideEndpoint(name), node: number, number: 16_384 + 16 * number + index });
    }
    this.#putNetwork();
  }

  #stand(number: number, identity: number, flags: number): void {
    for (const index of [2 * number, 2 * number + 1]) {
      this.maps.identities.set(index, {
        standing: [
          { identity, flags },
          { identity, flags },
        ],
      });
    }
  }

  /** Has documents govern a container of this host in a direction, with these decisions; `any`: with all others. */
  govern(
    name: WideName,
    number: number,
    direction: 'INGRESS' | 'EGRESS',
    rules: Partial<Record<WideName | 'any', number>>,
  ): void {
    const { identity: subject } = wideEndpoint(name);
    this.#stand(number, subject, StandingFlag[direction]);
    for (const [peer, decision] of Object.entries(rules)) {
      const identity = peer === 'any' ? 0 : wideEndpoint(peer as WideName).identity;
      const key = { subject, peer: identity, direction: PolicyDirection[direction] };
      this.maps.policy.set(key, { half: [policyHalf(key, decision), policyHalf(key, decision)] });
    }
    this.judgeAgain();
  }

  /** No document governs it any more. */
  release(name: WideName, number: number): void {
    this.#stand(number, wideEndpoint(name).identity, 0);
    this.judgeAgain();
  }

  /** What the control plane does when it takes a permission away, or an endpoint is somewhere else. */
  judgeAgain(): void {
    const config = this.maps.config.get(0);
    if (config) this.maps.config.set(0, { ...config, generation: config.generation + 2 });
  }

  /** What was dropped here while `during` ran, but for what the containers' stacks ask or tell of themselves. */
  async drops(during: () => Promise<unknown> | unknown): Promise<Outcome['reasons']> {
    const before = countDrops(this.maps);
    await during();
    const { ND_UNANSWERED: _, ...drops } = newDrops(before, countDrops(this.maps));
    return drops;
  }

  /** Neighbour discovery that found no answer here. */
  get unanswered(): number {
    return countDrops(this.maps)[DropReason.ND_UNANSWERED] ?? 0;
  }

  /** Frames that went through the overlay's device: a train of segments is one. */
  overlayPackets(way: 'tx' | 'rx'): number {
    return this.link(overlay.device).stats64[way].packets;
  }

  /** As iproute2 tells it. */
  link(device: string): Link64 {
    const link = withNetns(this.netns, () =>
      execFileSync('ip', ['-s', '-j', 'link', 'show', device], { encoding: 'utf8' }),
    );
    return (JSON.parse(link) as [Link64])[0];
  }

  /** Sends a frame to another host in a tunnel of one's own making. @param from one of this host's addresses, or keys */
  async forge(
    to: TunnelHost,
    frame: Uint8Array,
    { vni = wide.number as number, from = this.key ?? this.address }: { vni?: number; from?: string } = {},
  ): Promise<void> {
    if (to.key === undefined) return await this.forgeInTheClear(to, frame, { vni, from });
    const packet = inCryptTunnel(frame, { from, to: to.key, vni });
    if (to.wire) return await to.wire.bring(to, packet);
    const program = `
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
s.sendto(bytes.fromhex(sys.argv[2]), (sys.argv[1], 0x86dd))`;
    const { status, stderr } = await this.exec(
      'python3',
      '-c',
      program,
      wireDevice,
      Buffer.from(packet).toString('hex'),
    );
    if (status !== 0) throw new Error(stderr);
  }

  /** Likewise, always by VXLAN. */
  async forgeInTheClear(
    to: TunnelHost,
    frame: Uint8Array,
    { vni = wide.number as number, from = this.address }: { vni?: number; from?: string } = {},
  ): Promise<void> {
    const header = Buffer.alloc(8);
    header[0] = 8;
    header.writeUInt32BE(vni * 256, 4);
    const hex = Buffer.concat([header, frame]).toString('hex');
    const program = `
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
s.sendto(bytes.fromhex(sys.argv[3]), (sys.argv[2], 4789))`;
    const { status, stderr } = await this.exec('python3', '-c', program, from, to.address, hex);
    if (status !== 0) throw new Error(stderr);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.#containers.values()) await container[Symbol.asyncDispose]();
    for (const link of this.#links) link.close();
    this.#netlink.close();
    this.maps.close();
    for (const object of this.#objects.values()) object.close();
    await super[Symbol.asyncDispose]();
  }
}
