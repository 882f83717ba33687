import type { Program } from '../loader/program.ts';
import type { Maps } from '../maps/open.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import { driverOf } from '../network/drivers/registry.ts';
import type { HostRoute } from '../network/overlap.ts';
import {
  closeEndpointDevice,
  createEndpointDevice,
  createHandedOverDevice,
  deleteDevice,
  ensureSysctls,
  openSandbox,
} from './apply/devices.ts';
import { ensureAnchor } from './bind-devices.ts';
import { closedDevice } from './desired/devices.ts';
import { snatPorts } from './desired/ports.ts';
import type { Drift } from './drift.ts';
import type { HostFacts, PortRange } from './facts.ts';
import { type HostOptions, HostParts } from './host-parts.ts';
import { closeEndpointDevices, openHostDevice } from './open-devices.ts';
import { pass } from './pass.ts';
import type { HostPolicy } from './policy/host-policy.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * The kernel's side of this host: made what the intent says, as a whole (`reconcile`) or by one change (all other
 * methods). What somebody else had changed is counted. Whoever changes something holds the lock on the intent.
 */
export class Host {
  readonly maps: Maps;
  readonly #parts: HostParts;

  private constructor(parts: HostParts) {
    this.maps = parts.options.maps;
    this.#parts = parts;
  }

  /** Looks at what there is, and changes nothing yet. */
  static async open(options: HostOptions): Promise<Host> {
    return new Host(await HostParts.open(options));
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

  /** What works less well than it could, for people. */
  get warnings(): string[] {
    const { policyFailure } = this.#parts;
    const stale =
      policyFailure === undefined ? [] : [`an older policy than the one applied is in force: ${policyFailure}`];
    const { awaitingLabels } = this.policy;
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

  /** A program of the datapath, loaded and pinned. */
  program(name: string): Program {
    return this.#parts.program(name);
  }

  /** Whether a device is ours and should be there. */
  knows(ifindex: number): boolean {
    return ifindex === this.hostIfindex || this.#parts.devices.has(ifindex);
  }

  /** Whether a device is ours, should be up, and is not. */
  isDown(ifindex: number): boolean {
    const open = ifindex === this.hostIfindex || this.#parts.devices.at(ifindex)?.open === true;
    return open && this.#parts.netlink.link(ifindex)?.up !== true;
  }

  /** Of the host's end of its veth. */
  ifindexOf(endpoint: Endpoint): number | undefined {
    return this.#parts.devices.get(endpoint.id)?.ifindex;
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
    const ours = this.hostIfindex;
    return this.#parts.netlink
      .routes()
      .filter(({ ifindex, type }) => ifindex !== ours && type !== 'multicast' && type !== 'local')
      .map(({ destination, ifindex }) => {
        return { destination, ...(ifindex === undefined ? {} : { device: this.deviceName(ifindex) }) };
      });
  }

  /** Makes everything what it should be. */
  reconcile(intent: Intent): Promise<void> {
    return pass(this.#parts, intent);
  }

  /** Looks after the sysctls of endpoints' devices; without the lock, and between other things. */
  closeDevices(intent: Intent): Promise<void> {
    const names = [...intent.endpoints.values()].map(({ hostIfname }) => hostIfname);
    return closeEndpointDevices(this.#parts, names);
  }

  /** @throws VetchError MAP_FULL; KernelError. `removeNetwork` takes back what was done. */
  addNetwork(network: Network, networks: Iterable<Network>): void {
    this.#parts.control.addNetwork(network, this.hostIfindex);
    openHostDevice(this.#parts, networks);
  }

  /** @param rest the other networks */
  removeNetwork(network: Network, rest: Iterable<Network>): void {
    openHostDevice(this.#parts, rest);
    this.#parts.control.removeNetwork(network, this.hostIfindex);
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
    const plan = driverOf(network).planSandbox(network, endpoint);
    const ifindex = sandbox ? createEndpointDevice(netlink, plan, sandbox) : createHandedOverDevice(netlink, plan);
    const device = devices.set(endpoint.id, ifindex);
    ensureAnchor(this.#parts);
    closeEndpointDevice(netlink, endpoint.hostIfname, ifindex);
    control.addEndpoint(endpoint, network, ifindex);
    device.mapped = true;
    if (sandbox) openSandbox(sandbox, plan);
    else ensureSysctls(closedDevice(endpoint.ifname));
  }

  /** Lets packets pass. @throws KernelError */
  announceEndpoint(endpoint: Endpoint): void {
    const device = this.#parts.devices.get(endpoint.id);
    if (!device) return;
    this.#parts.netlink.setLink(device.ifindex, { up: true });
    device.open = true;
  }

  /** Its entries, its device, and whatever of them there is. */
  removeEndpoint(endpoint: Endpoint, network: Network): void {
    const { netlink, control, devices, lost } = this.#parts;
    const device = devices.get(endpoint.id);
    devices.delete(endpoint.id);
    lost.delete(endpoint.id);
    if (!device) return;
    if (device.mapped) control.removeEndpoint(endpoint, network, device.ifindex);
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

  /** After the deny list has begun or ceased to hold anything: XDP comes and goes with it. */
  attachPrograms(intent: Intent): void {
    this.#parts.attachments.reconcile(intent, this.facts, this.#parts.failing('attach a program'));
  }

  /** A lost endpoint is in no map. */
  #mapped(endpoint: Endpoint) {
    const device = this.#parts.devices.get(endpoint.id);
    return device?.mapped ? device : undefined;
  }
}
