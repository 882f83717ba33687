import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Intent } from '../../src/model/intent.ts';
import type { Network } from '../../src/model/network.ts';
import { spansHosts } from '../../src/network/drivers/spans-hosts.ts';
import type { HostRoute } from '../../src/network/overlap.ts';
import { alignMaps } from '../../src/reconcile/align-maps.ts';
import { ControlMaps } from '../../src/reconcile/control-maps.ts';
import { hostDevice } from '../../src/reconcile/desired/devices.ts';
import { tunnelAddress, tunnelOf } from '../../src/reconcile/desired/tunnel.ts';
import type { HostFacts, HostLink } from '../../src/reconcile/facts.ts';
import { HostPolicy } from '../../src/reconcile/policy/host-policy.ts';
import { applyRemotes } from '../../src/reconcile/remotes/apply-remotes.ts';
import type { PlacedRemote, RemoteKeys } from '../../src/reconcile/remotes/remote-table.ts';
import { aLink, anAddress, hostFacts } from '../../src/reconcile/testing.ts';
import { type MemoryMaps, memoryMaps } from './memory-map.ts';

/** Ifindexes of the devices that every host has. */
const [hostIfindex, overlayIfindex, firstEndpoint] = [3, 4, 100];

type Failed = (what: string, error: unknown) => void;

/**
 * The kernel's side of a host without a kernel: what fills the maps is what fills them on a host, the maps are in memory,
 * and of devices there is no more than a number.
 */
export class MemoryHost {
  readonly maps: MemoryMaps;
  readonly control: ControlMaps;
  readonly policy: HostPolicy;
  readonly #failed: Failed;
  readonly #base: HostFacts;
  readonly #links = new Map<string, HostLink>();
  readonly #leftRemotes: PlacedRemote[] = [];
  #facts: HostFacts | undefined;
  #nextIfindex = firstEndpoint;
  /** As `HostParts` has them. */
  policyFailure: string | undefined;
  passes = 0;

  private constructor(maps: MemoryMaps, control: ControlMaps, policy: HostPolicy, base: HostFacts, failed: Failed) {
    this.maps = maps;
    this.control = control;
    this.policy = policy;
    this.#base = base;
    this.#failed = failed;
  }

  /** @param address of its uplink, where its tunnels end */
  static async open(node: string, address: string, failed: Failed): Promise<MemoryHost> {
    const maps = memoryMaps();
    const control = await ControlMaps.open(maps);
    const policy = await HostPolicy.open({
      ...{ maps, generation: control, node },
      failed: (error) => failed('bring both halves of policy in step', error),
      // No program runs.
      barrier: async () => {},
    });
    const base = hostFacts({
      links: [
        aLink(1, 'lo', { loopback: true }),
        aLink(2, 'eth0'),
        aLink(hostIfindex, hostDevice.name, { kind: 'veth' }),
      ],
      addresses: [anAddress(2, address)],
      defaultRoutes: [2],
    });
    const host = new MemoryHost(maps, control, policy, base, failed);
    control.know(host.facts);
    return host;
  }

  get facts(): HostFacts {
    this.#facts ??= { ...this.#base, links: [...this.#base.links, ...this.#links.values()] };
    return this.#facts;
  }

  get tunnel(): string | undefined {
    return tunnelAddress(this.#base);
  }

  get tunnelMtu(): number | undefined {
    return tunnelOf(this.#base)?.mtu;
  }

  /** It has no devices that could encrypt. */
  readonly encryption = { needed: false, movedTo: [], warnings: [], published: () => [], require: () => undefined };

  parentMtu(): undefined {}

  foreignRoutes(): HostRoute[] {
    return [];
  }

  attachPrograms(): void {}

  remote(key: string): PlacedRemote | undefined {
    return this.control.remotes.placed.get(key);
  }

  async applyRemotes(intent: Intent, keys: RemoteKeys = {}): Promise<void> {
    await applyRemotes(this, intent, keys);
  }

  /** What a pass does with the maps. */
  async reconcile(intent: Intent): Promise<number> {
    this.#followOverlay(intent.networks.values());
    const repairs = await alignMaps(this, intent);
    return this.passes++ === 0 ? 0 : repairs;
  }

  addNetwork(network: Network, networks: Iterable<Network>): void {
    this.control.addNetwork(network, hostIfindex);
    this.#followOverlay(networks);
  }

  removeNetwork(network: Network, networks: Iterable<Network>): void {
    this.#leftRemotes.push(...this.control.removeNetwork(network, hostIfindex));
    this.#followOverlay([...networks].filter(({ id }) => id !== network.id));
  }

  prepareEndpoint(endpoint: Endpoint, network: Network): void {
    const ifindex = this.#nextIfindex++;
    this.#link(endpoint, aLink(ifindex, endpoint.hostIfname, { kind: 'veth' }));
    this.control.addEndpoint(endpoint, network, ifindex);
  }

  announceEndpoint(): void {}

  limitEndpoint(endpoint: Endpoint, network: Network): void {
    const link = this.#links.get(endpoint.hostIfname);
    if (link) this.control.limitEndpoint(endpoint, network, link.ifindex);
  }

  removeEndpoint(endpoint: Endpoint, network: Network): void {
    const link = this.#links.get(endpoint.hostIfname);
    if (!link) return;
    this.#link(endpoint, undefined);
    this.control.removeEndpoint(endpoint, network, link.ifindex);
  }

  forgetRemotes(): Promise<void> {
    return this.policy.removeRemotes(this.#leftRemotes.splice(0));
  }

  failing(what: string): (error: unknown) => void {
    return (error) => this.#failed(what, error);
  }

  #link({ hostIfname }: Endpoint, link: HostLink | undefined): void {
    if (link) this.#links.set(hostIfname, link);
    else this.#links.delete(hostIfname);
    this.#facts = undefined;
  }

  #followOverlay(networks: Iterable<Network>): void {
    this.control.know(this.facts);
    this.control.tunnel([...networks].some(spansHosts) ? overlayIfindex : 0);
  }
}
