import { setImmediate } from 'node:timers/promises';
import type { PinTree } from '../loader/pin.ts';
import type { Program } from '../loader/program.ts';
import type { Maps } from '../maps/open.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Netlink } from '../netlink/netlink.ts';
import { driverOf } from '../network/drivers/registry.ts';
import type { HostRoute } from '../network/overlap.ts';
import {
  applyBinding,
  applyOpening,
  closeEndpointDevice,
  createEndpointDevice,
  createHostDevice,
  deleteDevice,
  ensureSysctls,
  openSandbox,
} from './apply/devices.ts';
import { Attachments } from './attachments.ts';
import { ControlMaps } from './control-maps.ts';
import { closedDevice, desiredHostDevice, hostDevice } from './desired/devices.ts';
import { snatPorts } from './desired/ports.ts';
import { isOurs } from './desired/uplinks.ts';
import { Drift } from './drift.ts';
import { EndpointDevices } from './endpoint-devices.ts';
import { type HostFacts, type HostLink, linksByName, type PortRange } from './facts.ts';
import { observeBlockProgram, observeBlocks, observeHostDevice } from './observed/devices.ts';
import { observeFacts } from './observed/host-facts.ts';
import { type MakingStep, planBinding, planMaking, planOpening, type WantedDevices } from './plan/devices.ts';
import type { Sandbox } from './sandbox.ts';

export interface HostOptions {
  readonly maps: Maps;
  /** Of the host's network namespace. */
  readonly netlink: Netlink;
  readonly netnsCookie: bigint;
  readonly tree: PinTree;
  readonly programs: ReadonlyMap<string, Program>;
  readonly cgroup: string;
  readonly uplink: 'auto' | readonly string[];
  /**
   * The sandbox of an endpoint whose device is gone, if that sandbox still is there; the pass disposes of it.
   */
  readonly sandboxOf: (endpoint: Endpoint) => Promise<Sandbox | undefined>;
  /** Told of what a pass could not do; the next one tries again. */
  readonly failed: (what: string, error: unknown) => void;
}

/** Devices whose sysctls are looked at between two turns of the event loop. */
const sysctlBatch = 50;

/**
 * The kernel's side of this host: makes it what the intent says, as a whole (`reconcile`) or by one change (all other
 * methods), and counts what somebody else had changed. Whoever calls holds the lock on the intent.
 */
export class Host {
  readonly maps: Maps;
  readonly drift = new Drift();
  readonly #options: HostOptions;
  readonly #netlink: Netlink;
  readonly #control: ControlMaps;
  readonly #attachments: Attachments;
  readonly #devices = new EndpointDevices();
  /** Endpoints without a device, by id: why. */
  readonly #lost = new Map<string, string>();
  #facts: HostFacts;
  #passes = 0;

  constructor(options: HostOptions) {
    const { maps, netlink, tree, programs, cgroup } = options;
    this.#options = options;
    this.maps = maps;
    this.#netlink = netlink;
    this.#control = new ControlMaps(maps);
    this.#attachments = new Attachments(tree, programs, netlink, cgroup);
    this.#facts = this.#observeFacts();
  }

  /** As of the last pass. */
  get facts(): HostFacts {
    return this.#facts;
  }

  /** Where ephemeral host ports come from. */
  get localPorts(): PortRange {
    return this.#facts.localPorts;
  }

  /** Of the host device; 0: there is none. */
  get hostIfindex(): number {
    return linksByName(this.#facts).get(hostDevice.name)?.ifindex ?? 0;
  }

  /** Endpoints that have no device and cannot be given one, by id: why. */
  get lost(): ReadonlyMap<string, string> {
    return this.#lost;
  }

  get genericXdp(): readonly string[] {
    return this.#attachments.genericXdp;
  }

  /** Whether a device is ours and should be there. */
  knows(ifindex: number): boolean {
    return ifindex === this.hostIfindex || this.#devices.hasIfindex(ifindex);
  }

  /** What works less well than it could, for people. */
  get warnings(): string[] {
    const { first, last, overlaps } = snatPorts(this.#facts.localPorts);
    if (!overlaps) return [];
    return [
      `masquerading shares ports ${first}-${last} with the host's own sockets: narrow net.ipv4.ip_local_port_range`,
    ];
  }

  /** Of the host's end of its veth. */
  ifindexOf(endpoint: Endpoint): number | undefined {
    return this.#devices.get(endpoint.id)?.ifindex;
  }

  deviceName(ifindex: number): string {
    return this.#netlink.link(ifindex)?.name ?? String(ifindex);
  }

  isHostAddress(address: Uint8Array): boolean {
    return this.maps.hostAddrs.get(address) !== undefined;
  }

  /** Routes of the host that are not to our networks. */
  foreignRoutes(): HostRoute[] {
    const ours = this.hostIfindex;
    return this.#netlink
      .routes()
      .filter(({ ifindex, type }) => ifindex !== ours && type !== 'multicast' && type !== 'local')
      .map(({ destination, ifindex }) => {
        return { destination, ...(ifindex === undefined ? {} : { device: this.deviceName(ifindex) }) };
      });
  }

  /**
   * Makes everything what it should be. Packets flow all the while: what restricts is there before what permits, the
   * programs before the devices come up, and nothing that serves a flow goes before what replaces it is there.
   */
  async reconcile(intent: Intent): Promise<void> {
    const wanted = wantedDevices(intent);
    let repairs = await this.#make(intent, wanted);
    const before = this.#facts;
    this.#facts = this.#observeFacts();
    const { links } = this.#facts;
    this.#noteDevices(intent);
    repairs += this.#count('filter', this.#bind(wanted, links));
    await setImmediate();
    const failed = this.#failing('attach a program');
    this.#count('attachment', this.#attachments.reconcile(intent, this.#facts, failed, true));
    const changed = this.#control.reconcile(intent, this.#facts, this.#failing('write a map'));
    // An entry that follows a device or an address which has changed is no drift of its own.
    if (repairs === 0 && sameFacts(before, this.#facts)) this.#count('map', changed);
    this.#devices.allMapped();
    await setImmediate();
    this.#count('attachment', this.#attachments.reconcile(intent, this.#facts, failed));
    await this.#ensureSysctls(wanted);
    this.#open(wanted, links);
    this.#passes++;
  }

  addNetwork(network: Network, intent: Intent): void {
    this.#control.addNetwork(network, this.hostIfindex);
    this.#openHostDevice(intent);
  }

  /** @param intent without it */
  removeNetwork(network: Network, intent: Intent): void {
    const rest = { ...intent, networks: new Map([...intent.networks].filter(([id]) => id !== network.id)) };
    this.#openHostDevice(rest);
    this.#control.removeNetwork(network, this.hostIfindex);
  }

  /**
   * Makes an endpoint's device and everything that belongs to it; nothing passes yet.
   *
   * @throws VetchError MAP_FULL; KernelError. `removeEndpoint` takes back what was done.
   */
  prepareEndpoint(endpoint: Endpoint, network: Network, sandbox: Sandbox): void {
    const plan = driverOf(network).planSandbox(network, endpoint);
    const ifindex = createEndpointDevice(this.#netlink, plan, sandbox);
    const device = this.#devices.set(endpoint.id, ifindex);
    this.#lost.delete(endpoint.id);
    this.#ensureAnchor();
    closeEndpointDevice(this.#netlink, endpoint.hostIfname, ifindex);
    this.#control.addEndpoint(endpoint, network, ifindex);
    device.mapped = true;
    openSandbox(sandbox, plan);
  }

  /** Lets packets pass. @throws KernelError */
  announceEndpoint(endpoint: Endpoint): void {
    const ifindex = this.ifindexOf(endpoint);
    if (ifindex !== undefined) this.#netlink.setLink(ifindex, { up: true });
  }

  /** Its entries, its device, and whatever of them there is. */
  removeEndpoint(endpoint: Endpoint, network: Network): void {
    const device = this.#devices.get(endpoint.id);
    this.#devices.delete(endpoint.id);
    this.#lost.delete(endpoint.id);
    if (!device) return;
    if (device.mapped) this.#control.removeEndpoint(endpoint, network, device.ifindex);
    deleteDevice(this.#netlink, device);
  }

  /** Its identity has changed. */
  updateEndpoint(endpoint: Endpoint, network: Network): void {
    const device = this.#devices.get(endpoint.id);
    if (device?.mapped) this.#control.updateEndpoint(endpoint, network, device.ifindex);
  }

  /** @throws VetchError MAP_FULL */
  publish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    if (this.#devices.get(endpoint.id)?.mapped) this.#control.publish(endpoint, network, ports);
  }

  unpublish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    if (this.#devices.get(endpoint.id)?.mapped) this.#control.unpublish(endpoint, network, ports);
  }

  /** @param cidrs none of which is there yet. @throws VetchError MAP_FULL */
  addDeny(cidrs: readonly string[]): void {
    this.#control.addDeny(cidrs);
  }

  removeDeny(cidrs: readonly string[]): void {
    this.#control.removeDeny(cidrs);
  }

  /** After the deny list has begun or ceased to hold anything: XDP comes and goes with it. */
  attachPrograms(intent: Intent): void {
    this.#attachments.reconcile(intent, this.#facts, this.#failing('attach a program'));
  }

  #observeFacts(): HostFacts {
    const { netnsCookie, uplink } = this.#options;
    return observeFacts(this.#netlink, { netnsCookie, uplink });
  }

  /** Returns how many devices were missing that had been there. */
  async #make(intent: Intent, wanted: WantedDevices): Promise<number> {
    const endpoints = new Map([...intent.endpoints.values()].map((endpoint) => [endpoint.hostIfname, endpoint]));
    let repairs = 0;
    for (const step of planMaking(wanted, this.#observeFacts().links)) {
      try {
        if (step.kind !== 'create-endpoint') this.#makeOne(step, wanted);
        else {
          const endpoint = endpoints.get(step.hostIfname);
          if (!endpoint || !(await this.#remake(endpoint, intent))) continue;
        }
        repairs++;
      } catch (error) {
        this.#options.failed(step.kind, error);
      }
    }
    return this.#count('device', repairs);
  }

  #makeOne(step: Exclude<MakingStep, { kind: 'create-endpoint' }>, wanted: WantedDevices): void {
    if (step.kind === 'delete-orphan') {
      deleteDevice(this.#netlink, step.link);
      return;
    }
    if (step.broken) deleteDevice(this.#netlink, step.broken);
    createHostDevice(this.#netlink, wanted.host.mtu);
  }

  /** Gives an endpoint a device again, if its sandbox is still there. */
  async #remake(endpoint: Endpoint, intent: Intent): Promise<boolean> {
    const network = intent.networks.get(endpoint.network);
    using sandbox = await this.#options.sandboxOf(endpoint);
    this.#devices.delete(endpoint.id);
    if (!network || !sandbox) {
      this.#lost.set(endpoint.id, `its sandbox ${endpoint.netns} is gone`);
      return false;
    }
    const plan = driverOf(network).planSandbox(network, endpoint);
    const ifindex = createEndpointDevice(this.#netlink, plan, sandbox);
    try {
      ensureSysctls(closedDevice(endpoint.hostIfname));
      openSandbox(sandbox, plan);
    } catch (error) {
      deleteDevice(this.#netlink, { ifindex });
      this.#lost.set(endpoint.id, String(error));
      throw error;
    }
    this.#lost.delete(endpoint.id);
    return true;
  }

  #noteDevices(intent: Intent): void {
    const links = linksByName(this.#facts);
    for (const [id, { hostIfname }] of intent.endpoints) {
      const ifindex = links.get(hostIfname)?.ifindex;
      if (ifindex === undefined) this.#devices.delete(id);
      else if (this.#devices.get(id)?.ifindex !== ifindex) this.#devices.set(id, ifindex);
    }
    for (const id of this.#devices.ids()) if (!intent.endpoints.has(id)) this.#devices.delete(id);
  }

  /** Returns how many qdiscs and filters were not in place. */
  #bind(wanted: WantedDevices, links: readonly HostLink[]): number {
    const program = this.#program('from_endpoint');
    const running = observeBlockProgram(this.#netlink);
    const steps = planBinding(wanted, links, observeBlocks(this.#netlink), running, program.id);
    for (const step of steps) this.#try(step.kind, () => applyBinding(this.#netlink, step, program));
    return steps.length;
  }

  /** The block has its filter: an endpoint that is bound to an empty one would meet no program. */
  #ensureAnchor(): void {
    if (observeBlockProgram(this.#netlink) === this.#program('from_endpoint').id) return;
    const peer = this.#netlink.link(hostDevice.peer);
    const links = peer ? [{ ...peer, ifindex: peer.index }] : [];
    this.#count('filter', this.#bind({ host: desiredHostDevice([]), endpoints: new Map() }, links));
  }

  #open(wanted: WantedDevices, links: readonly HostLink[]): void {
    const hostIfindex = this.hostIfindex;
    const state = observeHostDevice(this.#netlink, hostIfindex);
    for (const step of planOpening(wanted, links, state)) {
      this.#try(step.kind, () => applyOpening(this.#netlink, step, hostIfindex));
      const kind = step.kind.endsWith('route') ? 'route' : step.kind.endsWith('address') ? 'address' : 'device';
      this.#count(kind, 1);
    }
  }

  #openHostDevice(intent: Intent): void {
    const hostIfindex = this.hostIfindex;
    const names: readonly string[] = [hostDevice.name, hostDevice.peer];
    const links = this.#facts.links.filter(({ name }) => names.includes(name));
    const host = desiredHostDevice(intent.networks.values());
    const state = observeHostDevice(this.#netlink, hostIfindex);
    for (const step of planOpening({ host, endpoints: new Map() }, links, state)) {
      applyOpening(this.#netlink, step, hostIfindex);
    }
  }

  async #ensureSysctls(wanted: WantedDevices): Promise<void> {
    this.#count(
      'sysctl',
      this.#sysctls(() => ensureSysctls(wanted.host.sysctls)),
    );
    const names = [...wanted.endpoints.keys()];
    for (let at = 0; at < names.length; at += sysctlBatch) {
      const batch = names.slice(at, at + sysctlBatch).flatMap(closedDevice);
      this.#count(
        'sysctl',
        this.#sysctls(() => ensureSysctls(batch)),
      );
      await setImmediate();
    }
  }

  #sysctls(ensure: () => number): number {
    let written = 0;
    this.#try('write a sysctl', () => {
      written = ensure();
    });
    return written;
  }

  #program(name: string): Program {
    const program = this.#options.programs.get(name);
    if (!program) throw new Error(`program ${name} is not loaded`);
    return program;
  }

  /** Counts repairs, but not those of the first pass, which builds. */
  #count(kind: Parameters<Drift['add']>[0], repairs: number): number {
    if (this.#passes > 0) this.drift.add(kind, repairs);
    return repairs;
  }

  #try(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.failed(what, error);
    }
  }

  #failing(what: string): (error: unknown) => void {
    return (error) => this.#options.failed(what, error);
  }
}

function wantedDevices(intent: Intent): WantedDevices {
  const endpoints = new Map<string, number>();
  for (const endpoint of intent.endpoints.values()) {
    const network = intent.networks.get(endpoint.network);
    if (network) endpoints.set(endpoint.hostIfname, network.mtu);
  }
  return { host: desiredHostDevice(intent.networks.values()), endpoints };
}

/** Whether what the maps say of the host beside the intent is unchanged; our own devices follow the intent. */
function sameFacts(a: HostFacts, b: HostFacts): boolean {
  const digest = ({ links, addresses, localPorts, defaultRoutes }: HostFacts) => {
    const ours = new Set(links.filter(({ name }) => isOurs(name)).map(({ ifindex }) => ifindex));
    return JSON.stringify([
      links
        .filter(({ ifindex }) => !ours.has(ifindex))
        .map(({ ifindex, name, mtu, master = 0 }) => [ifindex, name, mtu, master]),
      addresses
        .filter(({ ifindex }) => !ours.has(ifindex))
        .map(({ ifindex, address, secondary }) => [ifindex, Buffer.from(address).toString('hex'), secondary]),
      [localPorts, defaultRoutes],
    ]);
  };
  return digest(a) === digest(b);
}
