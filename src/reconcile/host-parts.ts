import { attachToSockets } from '../loader/link/sockets.ts';
import type { PinTree } from '../loader/pin.ts';
import type { Program } from '../loader/program.ts';
import type { Maps } from '../maps/open.ts';
import type { Endpoint } from '../model/endpoint.ts';
import type { Netlink } from '../netlink/netlink.ts';
import type { Binding } from '../network/port-table.ts';
import type { LearnedNames } from '../policy/learned-names.ts';
import type { BackendHealth } from '../service/health.ts';
import { Attachments } from './attachments.ts';
import { ControlMaps } from './control-maps.ts';
import { type HostRoute, hostDevice } from './desired/devices.ts';
import { Drift, type DriftKind } from './drift.ts';
import { Encryption, type EncryptionOptions } from './encryption/encryption.ts';
import { EndpointDevices } from './endpoint-devices.ts';
import { type HostFacts, linksByName } from './facts.ts';
import { observeFacts } from './observed/host-facts.ts';
import { OverlayDevice } from './overlay-device.ts';
import { HostPolicy } from './policy/host-policy.ts';
import { RemotePorts } from './remotes/remote-ports.ts';
import type { PlacedRemote } from './remotes/remote-table.ts';
import type { Sandbox } from './sandbox.ts';
import { Shaper } from './shaper.ts';

export interface HostOptions {
  readonly maps: Maps;
  /** Of the host's network namespace. */
  readonly netlink: Netlink;
  readonly netnsCookie: bigint;
  readonly tree: PinTree;
  readonly programs: ReadonlyMap<string, Program>;
  readonly cgroup: string;
  readonly uplink: 'auto' | readonly string[];
  /** Name of this node. */
  readonly node: string;
  /** Whether an endpoint's labels are still to come from its engine. Default: of none. */
  readonly awaitsLabels?: (endpoint: Endpoint) => boolean;
  /** What endpoints were told of domain names before this daemon began. */
  readonly learned?: LearnedNames;
  /** What is known of services' backends; who is unhealthy gets no new flows. */
  readonly health?: BackendHealth;
  /**
   * Keeps a port of this host from its processes for a while; undefined: one of them has it. Default: none has any.
   */
  readonly holdPort?: (binding: Binding) => Disposable | undefined;
  /** How it encrypts what goes to other hosts. Default: it cannot. */
  readonly encryption?: EncryptionOptions;
  /** The sandbox of an endpoint whose device is gone, if that sandbox is still there; the pass disposes of it. */
  readonly sandboxOf: (endpoint: Endpoint) => Promise<Sandbox | undefined>;
  /** Told of what a pass could not do; the next one tries again. */
  readonly failed: (what: string, error: unknown) => void;
}

/** What passes over the host and single changes have in common. */
export class HostParts {
  readonly options: HostOptions;
  readonly netlink: Netlink;
  readonly control: ControlMaps;
  readonly policy: HostPolicy;
  readonly attachments: Attachments;
  readonly shaper: Shaper;
  readonly overlay: OverlayDevice;
  readonly encryption: Encryption;
  readonly devices = new EndpointDevices();
  readonly drift = new Drift();
  /** Ids of the cgroups of endpoints in the host's namespace, by path; those that are there. */
  readonly cgroups = new Map<string, bigint>();
  /** Endpoints without a device, by id: why. */
  readonly lost = new Map<string, string>();
  /** Endpoints without a way to their LAN, by id: why. */
  readonly unjoined = new Map<string, string>();
  /** Routes to single endpoints, by id. */
  readonly endpointRoutes = new Map<string, readonly HostRoute[]>();
  /** Endpoints on other hosts that policy still knows, of networks that are gone. */
  leftRemotes: PlacedRemote[] = [];
  /** Names of endpoints' devices that the last pass has found open. */
  openEndpoints: readonly string[] = [];
  passes = 0;
  /** Why the kernel judges by an older policy than the intent's; undefined: it does not. */
  policyFailure: string | undefined;
  #facts: HostFacts | undefined;
  #hostIfindex: number | undefined;

  private constructor(options: HostOptions, control: ControlMaps, policy: HostPolicy) {
    const { netlink, tree, programs, cgroup } = options;
    this.options = options;
    this.netlink = netlink;
    this.control = control;
    this.policy = policy;
    this.attachments = new Attachments(tree, programs, netlink, cgroup);
    this.shaper = new Shaper(netlink);
    this.overlay = new OverlayDevice(netlink);
    this.encryption = new Encryption(netlink, options.encryption);
    control.encryption = this.encryption;
    const bypass = programs.get('sock_bypass');
    if (bypass) attachToSockets(bypass, { fd: options.maps.joined.fd, name: 'joined' });
  }

  static async open(options: HostOptions): Promise<HostParts> {
    const { maps, node, awaitsLabels, learned } = options;
    const remotePorts = options.holdPort && new RemotePorts(options.holdPort);
    const control = await ControlMaps.open(maps, options.health, remotePorts);
    const failed = (error: unknown) => options.failed('bring both halves of policy in step', error);
    return new HostParts(
      options,
      control,
      await HostPolicy.open({ maps, generation: control, node, awaitsLabels, learned, failed }),
    );
  }

  /** As of the last pass; after it without the host's ends of endpoints' veths. */
  get facts(): HostFacts {
    this.#facts ??= this.observeFacts();
    return this.#facts;
  }

  set facts(facts: HostFacts) {
    this.#facts = facts;
    this.#hostIfindex = undefined;
  }

  /** Of the host device; 0: there is none. */
  get hostIfindex(): number {
    // Asked at every event: it must not cost more with more devices.
    this.#hostIfindex ??= linksByName(this.facts).get(hostDevice.name)?.ifindex ?? 0;
    return this.#hostIfindex;
  }

  observeFacts(): HostFacts {
    const { netnsCookie, uplink } = this.options;
    return observeFacts(this.netlink, { netnsCookie, uplink, cgroups: this.cgroups });
  }

  program(name: string): Program {
    const program = this.options.programs.get(name);
    if (!program) throw new Error(`program ${name} is not loaded`);
    return program;
  }

  /** Counts repairs, but not those of the first pass, which builds. */
  count(kind: DriftKind, repairs: number): void {
    if (this.passes > 0) this.drift.add(kind, repairs);
  }

  /** What fails is told, and does not keep the rest from being done. */
  attempt(what: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.options.failed(what, error);
    }
  }

  /** Has policy forget whom the kernel has forgotten, too. */
  async forgetRemotes(): Promise<void> {
    await this.policy.removeRemotes(this.leftRemotes.splice(0));
  }

  failing(what: string): (error: unknown) => void {
    return (error) => this.options.failed(what, error);
  }
}
