import type { Endpoint } from '../../model/endpoint.ts';
import type { Intent } from '../../model/intent.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import type { Encryption } from '../encryption/encryption.ts';
import { controlMaps, type MapEntry } from '../entry.ts';
import { type HostFacts, linksByName } from '../facts.ts';
import { type DesiredMaps, PackedContents } from '../packed-contents.ts';
import type { PortDesk, RemotePorts } from '../remotes/remote-ports.ts';
import type { PlacedRemote, RemoteTable } from '../remotes/remote-table.ts';
import { configEntry } from './config.ts';
import type { DenyHeads } from './deny-heads.ts';
import { denyEntry } from './deny-list.ts';
import { endpointEntries } from './endpoints.ts';
import { hostAddrEntries } from './host-addrs.ts';
import { hostCgroupEntry } from './host-cgroups.ts';
import { lanIfindexOf, lanParentEntries } from './lan-devices.ts';
import { type MemberSlots, memberEntries } from './members.ts';
import { networkEntry, subnetEntries } from './networks.ts';
import { PublishCounts } from './publish-counts.ts';
import { publishingOf, remotePublishingOf } from './published.ts';
import type { Limits } from './rates.ts';
import { memberOfNode, nodeEntry, nodeNumberEntries, nodeValueOf, ownNodeEntry } from './remotes.ts';
import { allServiceEntries, type ServiceMemory } from './services.ts';
import { trustedEntries } from './trusted.ts';
import { tunnelOf } from './tunnel.ts';
import { uplinkEntries } from './uplinks.ts';

/** What the maps themselves remember, and no intent says. */
export interface MapMemory {
  /** Of permissions; outlives the daemon in the map `config`. */
  readonly generation: number;
  /** Who is in which slot of `members`: brought up to date by the way. */
  readonly slots: MemberSlots;
  /** What the deny list touches: brought up to date by the way. */
  readonly denied: DenyHeads;
  /** Who has limits: brought up to date by the way. */
  readonly limits: Limits;
  /** Where services' tables lie: brought up to date by the way. */
  readonly services: ServiceMemory;
  /** What is on other hosts. Default: nothing. */
  readonly remotes?: Pick<RemoteTable, 'nodes' | 'nodesOf'>;
  /** Of `endpoints`, what is on other hosts; what is here replaces what has the same key. Default: nothing. */
  readonly remoteEndpoints?: PackedContents;
  /** Which ports of this host lead to those: brought up to date by the way. Default: none does. */
  readonly remotePorts?: {
    readonly ports: RemotePorts;
    readonly of: Iterable<PlacedRemote>;
    readonly kernel: Pick<PortDesk, 'isKept' | 'leads'>;
  };
  /** Ifindex of the device that leads to other hosts. Default: none does. */
  readonly overlay?: number;
  /** How packets to other hosts are encrypted. Default: they are not. */
  readonly encryption?: Pick<Encryption, 'of'>;
}

export interface MapPlan {
  readonly maps: DesiredMaps;
  /** For the fast path to go on counting. */
  readonly counts: PublishCounts;
}

/**
 * The exact contents of every map that the control plane writes.
 *
 * An endpoint whose device is not there is in no map: nothing is delivered to it and nothing is published for it.
 */
export function desiredMaps(intent: Intent, facts: HostFacts, memory: MapMemory): MapPlan {
  const links = linksByName(facts);
  const counts = new PublishCounts();
  const entries = new DesiredEntries(memory.remoteEndpoints);
  entries.push(...hostAddrEntries(facts, intent.networks.values()));
  memory.limits.clear();
  entries.push(...uplinkEntries(facts, intent.networks.values()));
  const present = new Map<string, Set<number>>();
  for (const endpoint of intent.endpoints.values()) {
    const network = intent.networks.get(endpoint.network);
    const cgroup = endpoint.cgroup === undefined ? undefined : facts.cgroups?.get(endpoint.cgroup);
    if (network && cgroup !== undefined && driverOf(network).capabilities.cgroups) {
      entries.push(hostCgroupEntry(endpoint, cgroup));
    }
    const ifindex = links.get(endpoint.hostIfname)?.ifindex;
    if (network === undefined || ifindex === undefined) continue;
    for (const entry of endpointEntries(endpoint, network, ifindex, lanIfindexOf(endpoint, network, links))) {
      entries.push(entry);
    }
    memory.limits.note(endpoint, network);
    const members = present.get(network.id);
    if (members) members.add(ifindex);
    else present.set(network.id, new Set([ifindex]));
    if (endpoint.ports.length === 0) continue;
    const publishing = publishingOf(network);
    // Of an entry that ports share the last one is as all of them have left it.
    for (const port of endpoint.ports) entries.push(...counts.add(endpoint, publishing, port).set);
  }
  const remotePorts = memory.remotePorts;
  remotePorts?.ports.align(remotePorts.of, {
    ...remotePorts.kernel,
    isTaken: (port) => counts.isTaken(port, (key) => entries.maps.published.indexOf(key) !== -1),
    enter: ({ placed, ports }) => {
      const publishing = remotePublishingOf(placed.network);
      for (const port of ports) entries.push(...counts.add(placed.remote, publishing, port).set);
    },
    leave: () => undefined,
  });
  entries.push(configEntry(facts, memory.generation, memory.limits, memory.overlay));
  entries.push(ownNodeEntry(tunnelOf(facts)?.address));
  for (const node of memory.remotes?.nodes ?? []) {
    const keyed = { ...node, crypt: memory.encryption?.of(node) ?? {} };
    entries.push(nodeEntry(node.number, keyed), ...nodeNumberEntries(node.number, nodeValueOf(keyed)));
  }
  const { slots } = memory;
  const numbers = new Set([...intent.networks.values()].map((network) => network.number));
  for (const number of slots.networks()) if (!numbers.has(number)) slots.drop(number);
  for (const network of intent.networks.values()) {
    const members = new Set(present.get(network.id));
    for (const node of memory.remotes?.nodesOf(network.id) ?? []) members.add(memberOfNode(node));
    slots.align(network.number, members);
    for (const entry of memberEntries(network.number, slots.of(network.number))) entries.push(entry);
    entries.push(networkEntry(network, slots.count(network.number)), ...subnetEntries(network));
    entries.push(...trustedEntries(network, links), ...lanParentEntries(network, links));
  }
  const hasDevice = ({ hostIfname }: Endpoint) => links.has(hostIfname);
  for (const entry of allServiceEntries(intent, hasDevice, memory.services)) entries.push(entry);
  memory.denied.align(intent.deny);
  for (const entry of memory.denied.entries()) entries.push(entry);
  for (const cidr of intent.deny) entries.push(denyEntry(cidr));
  return { maps: entries.maps, counts };
}

/** Entries by their map; a later one replaces an earlier of the same key. */
class DesiredEntries {
  readonly maps: DesiredMaps;

  constructor(endpoints = new PackedContents()) {
    const maps = controlMaps.map((map) => [map, map === 'endpoints' ? endpoints : new PackedContents()]);
    this.maps = Object.fromEntries(maps);
  }

  push(...entries: readonly MapEntry[]): void {
    for (const entry of entries) this.maps[entry.map].set(entry);
  }
}
