import { setImmediate } from 'node:timers/promises';
import { ConfigFlag, configCodec } from '../maps/generated/abi.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Intent } from '../model/intent.ts';
import type { Network } from '../model/network.ts';
import type { Service } from '../model/service.ts';
import { planOf } from '../network/drivers/registry.ts';
import { BackendHealth } from '../service/health.ts';
import { applyMaps, deleteEntries, setEntries } from './apply/maps.ts';
import { configEntry, noWay } from './desired/config.ts';
import { DenyHeads } from './desired/deny-heads.ts';
import { denyEntry } from './desired/deny-list.ts';
import { endpointEntries } from './desired/endpoints.ts';
import { gatewayEntries } from './desired/host-addrs.ts';
import { hostCgroupEntry } from './desired/host-cgroups.ts';
import { lanParentEntries } from './desired/lan-devices.ts';
import { desiredMaps } from './desired/maps.ts';
import { type MemberSlots, memberEntry } from './desired/members.ts';
import { absentNetworkEntry, networkEntry, subnetEntries } from './desired/networks.ts';
import { PublishCounts } from './desired/publish-counts.ts';
import { publishingOf } from './desired/published.ts';
import { Limits } from './desired/rates.ts';
import { memberOfNode, ownNodeEntry } from './desired/remotes.ts';
import { membersOf, type PlacedTable, type ServiceTables, tableEntries } from './desired/service-tables.ts';
import { memberServiceEntries, serviceEntries, serviceTable } from './desired/services.ts';
import { trustedEntries } from './desired/trusted.ts';
import { toldAddresses, tunnelOf } from './desired/tunnel.ts';
import { uplinkEntries } from './desired/uplinks.ts';
import type { Encryption } from './encryption/encryption.ts';
import { controlMaps, type MapEntry } from './entry.ts';
import { type HostFacts, linksByName } from './facts.ts';
import { entriesOf, type RawMaps } from './observed/maps.ts';
import { observedSlots } from './observed/members.ts';
import { observedServiceTables } from './observed/service-tables.ts';
import { differenceOf, type MapDifference, planMaps } from './plan/maps.ts';
import { keptPorts, portDesk } from './remotes/port-desk.ts';
import { RemoteMaps } from './remotes/remote-maps.ts';
import { type PortDesk, RemotePorts } from './remotes/remote-ports.ts';
import { type PlacedRemote, type RemoteChanges, RemoteTable } from './remotes/remote-table.ts';
import { observedSeeds } from './remotes/seeds.ts';

/** Milliseconds that a service's former table stays: no program runs for so long. */
const tableRest = 100;

/**
 * The maps that the control plane writes, and what it has to remember of them.
 *
 * `reconcile` compares all of them; the other methods make one change each, whose cost does not grow with the number
 * of endpoints. Both use the same functions of `desired/`, so neither undoes what the other did.
 */
export class ControlMaps {
  readonly #maps: RawMaps;
  #facts: HostFacts | undefined;
  #generation: number;
  readonly #slots: MemberSlots;
  #counts = new PublishCounts();
  readonly #denied = new DenyHeads();
  readonly #limits = new Limits();
  readonly #tables: ServiceTables;
  readonly #health: BackendHealth;
  readonly #remotes: RemoteMaps;
  /** Which ports of this host lead to endpoints on others. */
  readonly remotePorts: RemotePorts;
  #encryption: Encryption | undefined;
  #way = noWay;
  /** A daemon before this one may have been killed after it took something away and before it said so. */
  #unsure = true;

  private constructor(
    maps: RawMaps,
    generation: number,
    slots: MemberSlots,
    tables: ServiceTables,
    health: BackendHealth,
    remotes: RemoteTable,
    remotePorts: RemotePorts,
  ) {
    this.#maps = maps;
    this.remotePorts = remotePorts;
    this.#remotes = new RemoteMaps(maps, remotes);
    this.#tables = tables;
    this.#health = health;
    this.#generation = generation;
    this.#slots = slots;
  }

  /**
   * Takes up the permissions' generation, the members' slots and services' tables where the maps have them.
   *
   * @param health of services' backends; unhealthy ones are in no table
   * @param remotePorts default: no process of this host has any port
   */
  static async open(
    maps: RawMaps,
    health = new BackendHealth(),
    remotePorts = new RemotePorts(() => ({ [Symbol.dispose]: () => undefined })),
  ): Promise<ControlMaps> {
    const [config] = [...entriesOf(maps, 'config')].map(({ value }) => configCodec.decode(value));
    const blocks = maps.serviceSlots.raw.maxEntries;
    const tables = observedServiceTables(entriesOf(maps, 'services'), entriesOf(maps, 'serviceSlots'), blocks);
    const slots = observedSlots(entriesOf(maps, 'members'));
    const remotes = new RemoteTable(observedSeeds(entriesOf(maps, 'nodes'), entriesOf(maps, 'endpoints')));
    const control = new ControlMaps(
      maps,
      Math.max(1, config?.generation ?? 1),
      slots,
      tables,
      health,
      remotes,
      remotePorts,
    );
    // The device need not be another one.
    control.#way = {
      overlay: config?.overlayIfindex ?? 0,
      straightByXdp: ((config?.flags ?? 0) & ConfigFlag.STRAIGHT_BY_XDP) !== 0,
    };
    return control;
  }

  /** What packets to other hosts are encrypted by; without it none is sent of a network that is. */
  set encryption(encryption: Encryption) {
    this.#encryption = encryption;
    this.#remotes.encryption = encryption;
  }

  /** What is on other hosts, by the numbers that the maps have for it. */
  get remotes(): RemoteTable {
    return this.#remotes.table;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Which half of each entry of policy counts. */
  get parity(): 0 | 1 {
    return (this.#generation & 1) === 0 ? 0 : 1;
  }

  /** What the host is like now, before anything is written that depends on it. */
  know(facts: HostFacts): void {
    this.#facts = facts;
  }

  /**
   * Makes every map what it should be; returns how many entries were not.
   *
   * @param failed is told what could not be written; the rest is
   * @param admits which of the endpoints on other hosts policy knows: nobody reaches others. Default: all
   */
  async reconcile(
    intent: Intent,
    facts: HostFacts,
    failed: (error: unknown) => void,
    admits: (remote: PlacedRemote) => boolean = () => true,
  ): Promise<number> {
    this.#facts = facts;
    this.#sweepTables();
    const services = { tables: this.#tables, health: this.#health, failed };
    const { others, wanted: remoteEndpoints } = await this.#remotes.compare(admits);
    const memory = {
      ...{ generation: this.#generation, slots: this.#slots, denied: this.#denied, limits: this.#limits, services },
      ...{ remotes: this.remotes, remoteEndpoints, way: this.#way },
      ...(this.#encryption ? { encryption: this.#encryption } : {}),
    };
    const of = [...this.remotes.placed.values()].filter((placed) => placed.remote.ports.length > 0 && admits(placed));
    const remotePorts = { ports: this.remotePorts, of, kernel: keptPorts(this.#maps) };
    const desired = desiredMaps(intent, facts, { ...memory, remotePorts });
    this.#counts = desired.counts;
    const differences: MapDifference[] = [];
    for (const map of controlMaps) {
      await setImmediate();
      const observed = map === 'endpoints' && others ? others : entriesOf(this.#maps, map);
      differences.push(differenceOf(map, desired.maps[map], observed));
    }
    const { changes, count, revokes } = planMaps(differences);
    applyMaps(this.#maps, changes, failed);
    if (revokes || this.#unsure) this.revoke();
    this.#unsure = false;
    return count;
  }

  /** @throws VetchError MAP_FULL: nothing of it stays then */
  addNetwork(network: Network, hostIfindex: number): void {
    this.#allOrNothing(
      () => setEntries(this.#maps, [...this.#networkEntries(network, hostIfindex)]),
      () => this.removeNetwork(network, hostIfindex),
    );
  }

  /** @returns what was known of other hosts' endpoints in it */
  removeNetwork(network: Network, hostIfindex: number): PlacedRemote[] {
    deleteEntries(this.#maps, [
      ...(this.#facts ? lanParentEntries(network, linksByName(this.#facts)) : []),
      ...this.#trustedEntries(network),
      ...gatewayEntries(network, hostIfindex),
      ...subnetEntries(network),
    ]);
    setEntries(this.#maps, [absentNetworkEntry(network.number)]);
    const left = this.remotes.dropNetwork(network.id);
    for (const placed of left) this.#remotes.withdraw(placed);
    this.remotePorts.follow({ come: [], gone: left, changed: [] }, this.#portDesk);
    // Slots of nodes, too, which no endpoint's removal has freed.
    for (const [slot, ifindex] of this.#slots.of(network.number).entries()) {
      deleteEntries(this.#maps, [memberEntry(network.number, { slot, ifindex })]);
    }
    this.#slots.drop(network.number);
    this.revoke();
    return left;
  }

  /**
   * @param ifindex of the host's end, which is still down
   * @param lanIfindex of its device on its network's parent, likewise
   * @throws VetchError MAP_FULL: nothing of it stays then
   */
  addEndpoint(endpoint: Endpoint, network: Network, ifindex: number, lanIfindex = 0): void {
    this.#allOrNothing(
      () => {
        this.#enter(endpoint, network, ifindex, lanIfindex);
        const slot = this.#slots.add(network.number, ifindex);
        setEntries(this.#maps, [memberEntry(network.number, slot), this.#networkEntry(network)]);
        this.publish(endpoint, network, endpoint.ports);
      },
      () => {
        this.#withdraw(endpoint, network, ifindex, lanIfindex);
        // Others may have begun flows to it.
        this.revoke();
      },
    );
  }

  /** What an endpoint may send and receive from the next packet on, as its labels and options say now. */
  limitEndpoint(endpoint: Endpoint, network: Network, ifindex: number, lanIfindex = 0): void {
    this.#enter(endpoint, network, ifindex, lanIfindex);
  }

  /** @param ifindex where what limits delay waits from now on; 0: nowhere, they drop */
  shape(ifindex: number): void {
    if (this.#limits.shaper === ifindex) return;
    this.#limits.shaper = ifindex;
    this.#configure();
  }

  /** Has what other hosts answer for be sent on by `xdp_uplink`, from the second packet of a flow on; or not. */
  sendStraight(byXdp: boolean): void {
    if (this.#way.straightByXdp === byXdp) return;
    this.#way = { ...this.#way, straightByXdp: byXdp };
    this.#configure();
  }

  /** @param ifindex what leads to other hosts from now on; 0: nothing does */
  tunnel(ifindex: number): void {
    if (this.#way.overlay === ifindex) return;
    this.#way = { ...this.#way, overlay: ifindex };
    if (this.#facts) setEntries(this.#maps, [ownNodeEntry(tunnelOf(this.#facts)?.address)]);
    this.#configure();
  }

  /** After hosts have agreed upon keys, or the devices that have them are others. */
  followKeys(): void {
    this.#remotes.followKeys();
  }

  /**
   * Follows what has changed on other hosts, at the cost of the change. Flows with whoever is gone, or is elsewhere now, are
   * judged again; so are all where an address of a host is another's now.
   *
   * @param failed is told what could not be written; the rest is
   */
  changeRemotes(changes: RemoteChanges, failed: (error: unknown) => void): void {
    const { come, gone, changed } = changes;
    this.#remotes.apply(changes, failed);
    const addressesMoved =
      this.#facts !== undefined &&
      changes.nodes.size > 0 &&
      this.#remotes.followAddresses(toldAddresses(this.#facts), failed);
    const both = changed.flatMap(({ before, after }) => [before, after]);
    const nodes = new Map<Network, Set<number>>();
    for (const { network, node } of [...come, ...gone, ...both]) {
      nodes.set(network, (nodes.get(network) ?? new Set()).add(node));
    }
    for (const [network, numbers] of nodes) {
      try {
        this.#followNodes(network, numbers);
      } catch (error) {
        failed(error);
      }
    }
    this.remotePorts.follow(changes, this.#portDesk);
    const left = [...changes.nodes].some((number) => this.remotes.node(number) === undefined);
    if (gone.length + changed.length > 0 || left || addressesMoved) this.revoke();
  }

  /** Takes up ports that processes of this host have let go. */
  retryRemotePorts(): void {
    this.remotePorts.retry(this.#portDesk);
  }

  /** Its flows are judged again, and find nothing that permits them. */
  removeEndpoint(endpoint: Endpoint, network: Network, ifindex: number, lanIfindex = 0): void {
    this.#unpublish(endpoint, network, endpoint.ports);
    this.#withdraw(endpoint, network, ifindex, lanIfindex);
    this.revoke();
  }

  /** Before programs are at its cgroup. @param cgroup its id. @throws VetchError MAP_FULL */
  addCgroup(endpoint: Endpoint, cgroup: bigint): void {
    setEntries(this.#maps, [hostCgroupEntry(endpoint, cgroup)]);
  }

  /** After programs have left its cgroup: what others said to it is judged by who has its socket now. */
  removeCgroup(endpoint: Endpoint, cgroup: bigint): void {
    deleteEntries(this.#maps, [hostCgroupEntry(endpoint, cgroup)]);
    this.revoke();
  }

  /** @throws VetchError MAP_FULL: nothing of it stays then */
  publish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    const publishing = publishingOf(network);
    const begun: PublishedPort[] = [];
    this.#allOrNothing(
      () => {
        for (const port of ports) {
          begun.push(port);
          setEntries(this.#maps, this.#counts.add(endpoint, publishing, port).set);
        }
      },
      () => this.unpublish(endpoint, network, begun),
    );
  }

  /** Connections that came by them end. */
  unpublish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    this.#unpublish(endpoint, network, ports);
    this.revoke();
  }

  /**
   * @param cidrs none of which is there yet
   * @throws VetchError MAP_FULL: nothing of it stays then
   */
  addDeny(cidrs: readonly string[]): void {
    const pairs = () => cidrs.map(denyEntry).map(({ key, value }) => [key, value] as const);
    this.#allOrNothing(
      () => {
        this.#setBlocks(this.#denied.add(cidrs));
        this.#maps.denyList.raw.updateMany(pairs());
      },
      () => this.removeDeny(cidrs),
    );
  }

  removeDeny(cidrs: readonly string[]): void {
    this.#maps.denyList.raw.deleteMany(cidrs.map((cidr) => denyEntry(cidr).key));
    this.#setBlocks(this.#denied.remove(cidrs));
  }

  /**
   * Gives a service's new flows to these endpoints, from one packet to the next; those that are under way stay.
   *
   * @param reachable those of its endpoints that have a device
   * @throws VetchError MAP_FULL: what was there before stays
   */
  setService(service: Service, network: Network, reachable: Iterable<Endpoint>): void {
    this.#sweepTables(tableRest);
    const before = this.#tables.of(service.number);
    const table = this.#tableOf(service, [...reachable]);
    const [had, has] = [membersOf(before), membersOf(table)];
    const [joins, leaves] = [has.filter((one) => !had.includes(one)), had.filter((one) => !has.includes(one))];
    this.#allOrNothing(
      () => {
        if (table !== before) setEntries(this.#maps, tableEntries(table));
        setEntries(this.#maps, memberServiceEntries(service, joins));
        setEntries(this.#maps, serviceEntries(service, network, table));
      },
      () => {
        this.#tables.putBack(service.number, before);
        deleteEntries(this.#maps, memberServiceEntries(service, joins));
        setEntries(this.#maps, serviceEntries(service, network, before));
      },
    );
    deleteEntries(this.#maps, memberServiceEntries(service, leaves));
  }

  removeService(service: Service, network: Network): void {
    const table = this.#tables.of(service.number);
    deleteEntries(this.#maps, serviceEntries(service, network, table));
    deleteEntries(this.#maps, memberServiceEntries(service, membersOf(table)));
    this.#tables.drop(service.number);
    this.#sweepTables();
  }

  /**
   * The permissions' generation goes up: every flow is judged again with its next packet. Always after what permitted
   * it is gone; before, a packet could be judged by the old tables and stamped with the new generation.
   */
  revoke(): void {
    this.#advance(2);
  }

  /** Likewise, and from the next packet on the other halves of policy's entries count (bpf/abi/policy.h). */
  turn(): void {
    this.#advance(1);
  }

  /** @param by 2: the parity stays */
  #advance(by: 1 | 2): void {
    // 0 is what a map holds that nobody has written.
    const next = (this.#generation + by) % 2 ** 32;
    this.#generation = next === 0 ? 2 : next;
    this.#configure();
  }

  #configure(): void {
    if (this.#facts) setEntries(this.#maps, [configEntry(this.#facts, this.#generation, this.#limits, this.#way)]);
  }

  #enter(endpoint: Endpoint, network: Network, ifindex: number, lanIfindex: number): void {
    setEntries(this.#maps, endpointEntries(endpoint, network, ifindex, lanIfindex));
    if (this.#limits.note(endpoint, network)) this.#configure();
  }

  /** Has floods of a network reach those of these nodes that have some of it, and no others. */
  #followNodes(network: Network, nodes: Iterable<number>): void {
    const there = new Set(this.remotes.nodesOf(network.id));
    for (const node of nodes) {
      const member = memberOfNode(node);
      if (!there.has(node)) this.#leaveSlot(network, member);
      else {
        const slot = this.#slots.add(network.number, member);
        setEntries(this.#maps, [memberEntry(network.number, slot), this.#networkEntry(network)]);
      }
    }
  }

  /** @param age milliseconds; default: all former tables */
  #sweepTables(age = 0): void {
    deleteEntries(this.#maps, this.#tables.sweep(age));
  }

  #tableOf(service: Service, reachable: readonly Endpoint[]): PlacedTable {
    const memory = { tables: this.#tables, health: this.#health };
    try {
      return serviceTable(service, reachable, memory);
    } catch {
      // The room of former tables may be all that is missing.
      this.#sweepTables();
      return serviceTable(service, reachable, memory);
    }
  }

  #setBlocks(entries: readonly MapEntry[]): void {
    this.#maps.denyUnlisted.raw.updateMany(entries.map(({ key, value }) => [key, value]));
  }

  #withdraw(endpoint: Endpoint, network: Network, ifindex: number, lanIfindex: number): void {
    deleteEntries(this.#maps, endpointEntries(endpoint, network, ifindex, lanIfindex).reverse());
    if (this.#limits.forget(endpoint)) this.#configure();
    this.#leaveSlot(network, ifindex);
  }

  #leaveSlot(network: Network, ifindex: number): void {
    const change = this.#slots.remove(network.number, ifindex);
    if (!change) return;
    if (change.moved) setEntries(this.#maps, [memberEntry(network.number, change.moved)]);
    setEntries(this.#maps, [this.#networkEntry(network)]);
    deleteEntries(this.#maps, [memberEntry(network.number, { slot: change.freed, ifindex })]);
  }

  *#networkEntries(network: Network, hostIfindex: number) {
    yield this.#networkEntry(network);
    yield* subnetEntries(network);
    yield* gatewayEntries(network, hostIfindex);
    yield* this.#trustedEntries(network);
    if (this.#facts) yield* lanParentEntries(network, linksByName(this.#facts));
    if (this.#facts && planOf(network).uplink !== undefined) yield* uplinkEntries(this.#facts, [network]);
  }

  #trustedEntries(network: Network) {
    return this.#facts ? trustedEntries(network, linksByName(this.#facts)) : [];
  }

  #networkEntry(network: Network) {
    return networkEntry(network, this.#slots.count(network.number));
  }

  #unpublish(endpoint: Endpoint, network: Network, ports: readonly PublishedPort[]): void {
    const publishing = publishingOf(network);
    for (const port of ports) {
      const { set, remove } = this.#counts.remove(endpoint, publishing, port);
      deleteEntries(this.#maps, remove);
      setEntries(this.#maps, set);
    }
    if (ports.length > 0) this.retryRemotePorts();
  }

  /** The maps' part in what leads to other hosts. */
  get #portDesk(): PortDesk {
    return portDesk(this.#maps, this.#counts);
  }

  #allOrNothing(change: () => void, undo: () => void): void {
    try {
      change();
    } catch (error) {
      undo();
      throw error;
    }
  }
}
