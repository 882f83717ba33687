import { VetchError } from '../api/error.ts';
import { feature } from '../loader/features.ts';
import type { Program } from '../loader/program.ts';
import type { Maps } from '../maps/open.ts';
import { parseMac } from '../model/address.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import * as requests from '../netlink/requests.ts';
import { isEncrypted } from '../network/drivers/encryption.ts';
import { driverOf, planOf } from '../network/drivers/registry.ts';
import { spansHosts } from '../network/drivers/spans-hosts.ts';
import type { HostRoute } from '../network/overlap.ts';
import type { Binding } from '../network/port-table.ts';
import {
  closeEndpointDevice,
  createEndpointDevice,
  createHandedOverDevice,
  deleteDevice,
  ensureSysctls,
  openSandbox,
} from './apply/devices.ts';
import { ensureAnchor } from './bind-devices.ts';
import { cgroupAttachments } from './desired/attachments.ts';
import { closedDevice } from './desired/devices.ts';
import { endpointRoutesOf, vlanOf } from './desired/lan-devices.ts';
import { snatPorts } from './desired/ports.ts';
import { tunnelAddress, tunnelOf } from './desired/tunnel.ts';
import type { Drift } from './drift.ts';
import { HostEncryption } from './encryption/host-encryption.ts';
import type { HostFacts, PortRange } from './facts.ts';
import { foreignRoutes } from './foreign-routes.ts';
import { cgroupId } from './host-cgroups.ts';
import { type HostOptions, HostParts } from './host-parts.ts';
import { addLanDevice, addParent, removeLanDevice, removeVlans } from './lan-devices.ts';
import { closeEndpointDevices, openHostDevice } from './open-devices.ts';
import { followEncryption, syncPeers } from './open-encryption.ts';
import { followOverlay } from './open-overlay.ts';
import { pass } from './pass.ts';
import type { HostPolicy } from './policy/host-policy.ts';
import { applyRemotes } from './remotes/apply-remotes.ts';
import type { PlacedRemote, RemoteKeys } from './remotes/remote-table.ts';
import { remoteWarnings } from './remotes/warnings.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * The kernel's side of this host: made what the intent says, as a whole (`reconcile`) or by one change (all other
 * methods). What somebody else had changed is counted. Whoever changes something holds the lock on the intent.
 */
export class Host {
  readonly maps: Maps;
  /** What encrypts between hosts. */
  readonly encryption: HostEncryption;
  readonly #parts: HostParts;

  private constructor(parts: HostParts) {
    this.maps = parts.options.maps;
    this.#parts = parts;
    this.encryption = new HostEncryption(parts);
  }

  /** Looks at what there is, and changes nothing yet. */
  static async open(options: HostOptions): Promise<Host> {
    return new Host(await HostParts.open(options));
  }

  /** The kernel goes on with what it has. */
  close(): void {
    this.#parts.encryption.close();
  }

  /** As of the last pass. */
  get facts(): HostFacts {
    return this.#parts.facts;
  }

  /** Repairs since the start. */
  get drift(): Drift {
    return this.#parts.drift;
  }

  /** Where ephemeral host ports come from. */
  get localPorts(): PortRange {
    return this.facts.localPorts;
  }

  /** Of the host device; 0: there is none. */
  get hostIfindex(): number {
    return this.#parts.hostIfindex;
  }

  /** Endpoints that have no device and cannot be given one, by id: why. */
  get lost(): ReadonlyMap<string, string> {
    return this.#parts.lost;
  }

  /** Endpoints without a way to the LAN of their network, by id: why. */
  get unjoined(): ReadonlyMap<string, string> {
    return this.#parts.unjoined;
  }

  /** What works less well than it could, for people. */
  get warnings(): string[] {
    const { policyFailure } = this.#parts;
    const stale =
      policyFailure === undefined ? [] : [`an older policy than the one applied is in force: ${policyFailure}`];
    stale.push(...this.tunnelWarnings, ...this.encryption.warnings, ...this.#parts.control.remotePorts.warnings);
    const { awaitingLabels } = this.policy;
    if (this.#parts.attachments.staysOnStack) {
      stale.push(`vetch.accelerate=latency has no effect here: ${feature('socketBypass').detail}`);
    }
    if (awaitingLabels > 0) {
      stale.push(`policy keeps ${awaitingLabels} endpoints cut off until their engine tells their labels`);
    }
    const { first, last, overlaps } = snatPorts(this.localPorts);
    const slow = this.#parts.attachments
      .genericXdp(this.facts.links)
      .map((device) => `the driver of ${device} has no native XDP: each denied packet costs a socket buffer`);
    if (!overlaps) return [...stale, ...slow];
    const range = `masquerading shares ports ${first}-${last} with the host's own sockets`;
    return [...stale, ...slow, `${range}: narrow net.ipv4.ip_local_port_range`];
  }

  /** Likewise, between networks that span hosts. */
  get tunnelWarnings(): string[] {
    const { overlay, control } = this.#parts;
    if (overlay.problem !== undefined) return [overlay.problem];
    return overlay.ifindex === 0 ? [] : remoteWarnings(control.remotes, this.tunnel);
  }

  /** The endpoint on another host that a port of this one leads to, for people; undefined: it leads to none. */
  remotePortHolder(binding: Binding): string | undefined {
    return this.#parts.control.remotePorts.holder(binding);
  }

  /** A program of the datapath, loaded and pinned. */
  program(name: string): Program {
    return this.#parts.program(name);
  }

  /** Whether a device is ours and should be there. */
  knows(ifindex: number): boolean {
    const { devices, shaper, overlay, encryption } = this.#parts;
    if (ifindex === this.hostIfindex || devices.has(ifindex) || encryption.has(ifindex)) return true;
    return ifindex !== 0 && (ifindex === shaper.ifindex || ifindex === overlay.ifindex);
  }

  /** Whether a device is ours, should be up, and is not. */
  isDown(ifindex: number): boolean {
    const { devices, overlay, encryption } = this.#parts;
    const isHosts = ifindex === this.hostIfindex || (ifindex !== 0 && ifindex === overlay.ifindex);
    const open = isHosts || encryption.has(ifindex) || devices.at(ifindex)?.open === true;
    return open && this.#parts.netlink.link(ifindex)?.up !== true;
  }

  /** Of the host's end of its veth. */
  ifindexOf(endpoint: Endpoint): number | undefined {
    return this.#parts.devices.get(endpoint.id)?.ifindex;
  }

  /** Where what its LAN sends to an endpoint comes in, and the MAC that it is sent to; undefined: nowhere. */
  lanOf({ id, mac }: Endpoint) {
    const device = this.#parts.devices.get(id);
    if (!device || device.lanIfindex === 0) return undefined;
    const { lanIfindex: ifindex, sharesLan } = device;
    const parent = sharesLan ? this.#parts.netlink.link(ifindex)?.mac : undefined;
    const hook = sharesLan ? ('from_parent' as const) : ('from_lan' as const);
    return { hook, ifindex, mac: parseMac(parent ?? mac) };
  }

  /** Whether an endpoint's device is there at this moment: it goes with the sandbox. */
  hasDevice(endpoint: Endpoint): boolean {
    return this.#parts.netlink.link(endpoint.hostIfname) !== undefined;
  }

  deviceName(ifindex: number): string {
    return this.#parts.netlink.link(ifindex)?.name ?? String(ifindex);
  }

  isHostAddress(address: Uint8Array): boolean {
    return this.maps.hostAddrs.get(address) !== undefined;
  }

  /** Routes of the host that are not to our networks. */
  foreignRoutes(): HostRoute[] {
    return foreignRoutes(this.#parts.netlink, this.hostIfindex);
  }

  /** Makes everything what it should be. */
  reconcile(intent: Intent): Promise<void> {
    return pass(this.#parts, intent);
  }

  /** Looks after the sysctls of endpoints' devices; without the lock, and between other things. */
  closeDevices(): Promise<void> {
    return closeEndpointDevices(this.#parts);
  }

  /** Bytes that the parent of a network to be takes; undefined: it is not there. */
  parentMtu({ parent }: Readonly<Record<string, string>>): number | undefined {
    if (!parent || Buffer.byteLength(parent) > 15) return undefined;
    const vlan = vlanOf(parent);
    return (this.#parts.netlink.link(parent) ?? (vlan && this.#parts.netlink.link(vlan.base)))?.mtu;
  }

  /** Bytes that a frame's contents may have on the way to another host; empty: there is no way. */
  get tunnelMtus(): { readonly tunnelMtu?: number; readonly encryptedMtu?: number } {
    const tunnel = tunnelOf(this.facts);
    return tunnel ? { tunnelMtu: tunnel.mtu, encryptedMtu: tunnel.encryptedMtu } : {};
  }

  /** Where other hosts send what is for this one, canonical; undefined: nowhere. */
  get tunnel(): string | undefined {
    return tunnelAddress(this.facts);
  }

  /** An endpoint on another host, by the number that this host has given it. */
  remoteNumbered(number: number): PlacedRemote | undefined {
    return this.#parts.control.remotes.numbered(number);
  }

  /** Undefined: this host does not reach it. @param key `NODE/ID` */
  remote(key: string): PlacedRemote | undefined {
    return this.#parts.control.remotes.placed.get(key);
  }

  /**
   * Follows what has changed on other hosts, and takes up what has waited for a network of this one, at the cost of the
   * change. What does not fit is not reached, and told of by `warnings`.
   *
   * @param intent with the change
   * @param keys names of nodes, and `NODE/ID` of endpoints, that have come, gone or changed
   */
  async applyRemotes(intent: Intent, keys: RemoteKeys = {}): Promise<void> {
    const { nodes } = await applyRemotes(this.#parts, intent, keys);
    if (nodes.size > 0) syncPeers(this.#parts);
  }

  /** @throws VetchError MAP_FULL, NOT_FOUND, INVALID, UNSUPPORTED; KernelError. `removeNetwork` takes back what was done. */
  addNetwork(network: Network, networks: Iterable<Network>): void {
    addParent(this.#parts, network);
    this.#parts.control.addNetwork(network, this.hostIfindex);
    openHostDevice(this.#parts, networks);
    if (spansHosts(network)) followOverlay(this.#parts, [network]);
    if (isEncrypted(network)) followEncryption(this.#parts, [network]);
  }

  /** @param rest the other networks */
  removeNetwork(network: Network, rest: Iterable<Network>): void {
    const others = [...rest].filter(({ id }) => id !== network.id);
    openHostDevice(this.#parts, others);
    this.#parts.leftRemotes.push(...this.#parts.control.removeNetwork(network, this.hostIfindex));
    if (spansHosts(network)) followOverlay(this.#parts, others);
    if (isEncrypted(network)) followEncryption(this.#parts, others);
    const { lan, uplink } = planOf(network);
    if (!lan && uplink === undefined) return;
    const links = this.#parts.netlink.links().map(({ index, ...link }) => ({ ifindex: index, ...link }));
    removeVlans(this.#parts, others, links);
  }

  /** Policy on this host. */
  get policy(): HostPolicy {
    return this.#parts.policy;
  }

  /**
   * Makes an endpoint's device and everything that belongs to it, but its policy, which comes before; nothing passes yet.
   *
   * @param sandbox absent: its engine moves the device into the sandbox, and the inside is the engine's
   * @throws VetchError MAP_FULL; KernelError. `removeEndpoint` takes back what was done.
   */
  prepareEndpoint(endpoint: Endpoint, network: Network, sandbox?: Sandbox): void {
    const { netlink, control, devices } = this.#parts;
    const driver = driverOf(network);
    if (driver.capabilities.cgroups) {
      this.#takeCgroup(endpoint);
      return;
    }
    if (!driver.capabilities.devices) {
      sandbox?.netlink.setLink('lo', { up: true });
      return;
    }
    const plan = driver.planSandbox(network, endpoint);
    const ifindex = sandbox ? createEndpointDevice(netlink, plan, sandbox) : createHandedOverDevice(netlink, plan);
    devices.set(endpoint.id, ifindex);
    ensureAnchor(this.#parts);
    closeEndpointDevice(netlink, endpoint.hostIfname, ifindex);
    const lan = addLanDevice(this.#parts, endpoint, network);
    const device = devices.set(endpoint.id, ifindex, lan, planOf(network).lan?.mode === 'shared');
    control.addEndpoint(endpoint, network, ifindex, lan);
    device.mapped = true;
    if (sandbox) openSandbox(sandbox, plan);
    else ensureSysctls(closedDevice(endpoint.ifname));
    this.#routeTo(endpoint, network);
  }

  /** Lets packets pass. @throws KernelError */
  announceEndpoint(endpoint: Endpoint): void {
    const device = this.#parts.devices.get(endpoint.id);
    if (!device) return;
    this.#parts.netlink.setLink(device.ifindex, { up: true });
    if (device.lanIfindex !== 0 && !device.sharesLan) this.#parts.netlink.setLink(device.lanIfindex, { up: true });
    device.open = true;
  }

  /** What an endpoint may send and receive, after its labels have changed. */
  limitEndpoint(endpoint: Endpoint, network: Network): void {
    const device = this.#mapped(endpoint);
    if (device) this.#parts.control.limitEndpoint(endpoint, network, device.ifindex, device.lanIfindex);
  }

  /**
   * Has a place where packets wait, after the first endpoint was given a limit; until then, and where the kernel has no
   * fq, they are dropped.
   *
   * @param intent with the endpoint
   */
  openShaper(intent: Intent): void {
    const { shaper, control } = this.#parts;
    if (shaper.ifindex !== 0) return;
    this.#parts.attempt('make the shaper', () => {
      if (!shaper.ensure(true) || shaper.ifindex === 0) return;
      this.#parts.facts = this.#parts.observeFacts();
      this.attachPrograms(intent);
      control.know(this.facts);
      control.shape(shaper.ifindex);
    });
  }

  /** Has new connections seen that may go from socket to socket, once an endpoint has any. @param intent with the endpoint */
  openBypass(intent: Intent): void {
    const { join, staysOnStack } = this.#parts.attachments;
    if (!join && !staysOnStack) this.attachPrograms(intent);
  }

  /** Its entries, its device, and whatever of them there is. */
  removeEndpoint(endpoint: Endpoint, network: Network): void {
    const { netlink, control, devices, lost, unjoined } = this.#parts;
    const device = devices.get(endpoint.id);
    devices.delete(endpoint.id);
    lost.delete(endpoint.id);
    unjoined.delete(endpoint.id);
    if (driverOf(network).capabilities.cgroups) this.#leaveCgroup(endpoint);
    this.#unroute(endpoint);
    if (planOf(network).lan && device?.sharesLan !== true) removeLanDevice(this.#parts, endpoint);
    if (!device) return;
    if (device.mapped) control.removeEndpoint(endpoint, network, device.ifindex, device.lanIfindex);
    deleteDevice(netlink, device);
  }

  /** @throws VetchError MAP_FULL */
  publish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    if (this.#mapped(endpoint)) this.#parts.control.publish(endpoint, network, ports);
  }

  unpublish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    if (this.#mapped(endpoint)) this.#parts.control.unpublish(endpoint, network, ports);
  }

  /** New flows of a service go to those of `selected` that are there and healthy. @throws VetchError MAP_FULL */
  setService(service: Service, network: Network, selected: Iterable<Endpoint>): void {
    const reachable = [...selected].filter((endpoint) => this.#mapped(endpoint) !== undefined);
    this.#parts.control.setService(service, network, reachable);
  }

  removeService(service: Service, network: Network): void {
    this.#parts.control.removeService(service, network);
  }

  /** @param cidrs none of which is there yet. @throws VetchError MAP_FULL */
  addDeny(cidrs: readonly string[]): void {
    this.#parts.control.addDeny(cidrs);
  }

  removeDeny(cidrs: readonly string[]): void {
    this.#parts.control.removeDeny(cidrs);
  }

  /** After the deny list has begun or ceased to hold anything, or a network with a program on its parent has come or gone. */
  attachPrograms(intent: Intent): void {
    this.#parts.attachments.reconcile(intent, this.facts, this.#parts.failing('attach a program'));
  }

  /** The host's own way to an endpoint, where it has one. */
  #routeTo(endpoint: Endpoint, network: Network): void {
    const { netlink, endpointRoutes } = this.#parts;
    const routes = endpointRoutesOf(endpoint, network, this.facts);
    if (routes.length === 0) return;
    endpointRoutes.set(endpoint.id, routes);
    for (const route of routes) netlink.replaceRoute({ ...route, ifindex: this.hostIfindex });
  }

  #unroute({ id }: Endpoint): void {
    const { netlink, endpointRoutes } = this.#parts;
    const routes = endpointRoutes.get(id) ?? [];
    endpointRoutes.delete(id);
    netlink.attempt(routes.map(({ destination }) => requests.deleteRoute({ destination, ifindex: this.hostIfindex })));
  }

  /** Its cgroup's sockets are under policy from here on. @throws VetchError NOT_FOUND, MAP_FULL; KernelError */
  #takeCgroup(endpoint: Endpoint): void {
    const { attachments, cgroups, control } = this.#parts;
    const { cgroup: path } = endpoint;
    if (path === undefined) return;
    const id = cgroupId(path);
    if (id === undefined) throw new VetchError('NOT_FOUND', `cgroup ${path} is gone`, 'start what ran in it again');
    cgroups.set(path, id);
    control.addCgroup(endpoint, id);
    attachments.attachAll(cgroupAttachments(path, id));
  }

  #leaveCgroup({ cgroup: path, ...endpoint }: Endpoint): void {
    const { attachments, cgroups, control } = this.#parts;
    const id = path === undefined ? undefined : cgroups.get(path);
    if (path === undefined || id === undefined) return;
    cgroups.delete(path);
    attachments.detachAll(cgroupAttachments(path, id));
    control.removeCgroup(endpoint, id);
  }

  /** Whether the programs are at the cgroup that an endpoint is now: a path may have come to be another one's. */
  isAtCgroup({ cgroup: path }: Endpoint): boolean {
    const id = path === undefined ? undefined : cgroupId(path);
    return id !== undefined && path !== undefined && this.#parts.cgroups.get(path) === id;
  }

  /** A lost endpoint is in no map. */
  #mapped(endpoint: Endpoint) {
    const device = this.#parts.devices.get(endpoint.id);
    return device?.mapped ? device : undefined;
  }
}
