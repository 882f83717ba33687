import { VetchError } from '../api/error.ts';
import { canonicalAddress, formatAddress, isIPv4, parseAddress, parseMac, withoutLength } from '../model/address.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { driverOf } from '../network/drivers/registry.ts';
import type { UplinkDevice } from '../observe/doctor/foreign-programs.ts';
import type { FlowDirectory, FlowPeer } from '../observe/flows/directory.ts';
import { ownerOfWire, wireOf } from '../observe/host-wire.ts';
import type { ObservedHost } from '../observe/observer.ts';
import type { RefNames } from '../observe/peers.ts';
import type { TraceEnd, TraceSite } from '../observe/trace/plan.ts';
import { hostDevice } from '../reconcile/desired/devices.ts';
import { uplinksOf } from '../reconcile/desired/uplinks.ts';
import type { Host } from '../reconcile/host.ts';
import { remoteKey, resolveEndpoint, resolveNetwork, resolvePeers } from './refs.ts';
import type { State } from './state.ts';

/** What those who watch the datapath ask about this host. */
export function observedHost(state: State, host: Host): ObservedHost {
  const { index } = state;
  return {
    directory: directoryOf(state, host),
    names: namesOf(state, host),
    counts: () => ({
      networks: index.networks.size,
      endpoints: index.endpoints.size,
      ports: index.ports,
      policies: index.policies.size,
      drift: host.drift.total,
    }),
    knownEntries: () => new Map([['deny_list', index.deny.size]]),
    traceEnd: (ref) => traceEnd(state, host, ref),
    traceSite: () => traceSite(state, host),
    deviceName: (ifindex) => host.deviceName(ifindex),
    uplinks: (): readonly UplinkDevice[] => uplinksOf(host.facts).map(({ name, ifindex }) => ({ name, ifindex })),
  };
}

function directoryOf({ index }: State, host: Host): FlowDirectory {
  const remoteAt = (number: number, address: string): FlowPeer | undefined => {
    const remote = index.remotesAt(address).find((one) => {
      return number === 0 || index.networks.get(one.network)?.number === number;
    });
    const standings = remote && host.policy.standings(host.policy.remoteNumber(remoteKey(remote)) ?? 0);
    const identity = (address.includes(':') ? standings?.v6 : standings?.v4)?.identity ?? 0;
    return remote && { name: remote.name, labels: remote.labels, identity };
  };
  const peer = (endpoint: Endpoint): FlowPeer => {
    const { name, labels } = endpoint;
    return { name, labels, identity: host.policy.identityOf(endpoint) };
  };
  return {
    endpointAt(network, address) {
      const endpoints = index.endpointsAt(formatAddress(address));
      const found =
        network === 0
          ? endpoints[0]
          : endpoints.find((endpoint) => index.networks.get(endpoint.network)?.number === network);
      return found ? peer(found) : remoteAt(network, formatAddress(address));
    },
    endpointNumbered(number) {
      const found = index.endpointNumbered(number);
      return found && peer(found);
    },
    networkName(number) {
      const owner = ownerOfWire(number);
      if (owner === undefined) return index.networkNumbered(number)?.name;
      return index.networks.get(index.endpointNumbered(owner)?.network ?? '')?.name;
    },
    decidedBy: (decision) => host.policy.decidedBy(decision),
    get version() {
      return index.version;
    },
  };
}

function namesOf({ index }: State, host: Host): RefNames {
  return {
    peers: (refs) =>
      resolvePeers(index, refs, {
        host: () => host.facts.addresses.map(({ address }) => address),
        identityOf: (endpoint) => host.policy.identityOf(endpoint),
      }),
    networks: (refs) =>
      refs.flatMap((ref) => {
        const network = resolveNetwork(index, ref);
        if (!driverOf(network).capabilities.cgroups) return network.number;
        return [...index.endpointsOf(network.id).values()].map(({ number }) => wireOf(number));
      }),
  };
}

function traceEnd(state: State, host: Host, ref: string): TraceEnd {
  if (ref === 'host') return { kind: 'host' };
  if (ref === 'world') return { kind: 'world' };
  const outside = foreignAddress(state, ref);
  if (outside) return host.isHostAddress(outside) ? { kind: 'host' } : { kind: 'world', address: outside };
  const endpoint = resolveEndpoint(state.index, ref);
  if (endpoint.mac === '') {
    const why = driverOf(state.networkOf(endpoint)).capabilities.cgroups
      ? "has the host's devices"
      : 'has loopback alone';
    throw new VetchError('INVALID', `endpoint ${endpoint.name} ${why}`, 'name one that has a device of its own');
  }
  const lan = host.lanOf(endpoint);
  return {
    kind: 'endpoint',
    ...(lan ? { lan } : {}),
    network: state.networkOf(endpoint).number,
    addresses: endpoint.addresses.map((address) => parseAddress(withoutLength(address))),
    mac: parseMac(endpoint.mac),
    ifindex: host.ifindexOf(endpoint) ?? 0,
  };
}

/** An address that no endpoint has. */
function foreignAddress({ index }: State, ref: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F.:]+$/.test(ref) || !/[.:]/.test(ref)) return undefined;
  const address = canonicalAddress(ref);
  return index.endpointsAt(address).length > 0 ? undefined : parseAddress(address);
}

function traceSite({ index }: State, host: Host): TraceSite {
  const { facts } = host;
  return {
    hostDevice: { ifindex: host.hostIfindex, mac: parseMac(hostDevice.mac) },
    gateway(number, v4) {
      const gateways = index.networkNumbered(number)?.subnets.map(({ gateway }) => parseAddress(gateway)) ?? [];
      return gateways.find((gateway) => isIPv4(gateway) === v4);
    },
    uplinks: uplinksOf(facts).map(({ ifindex, mac, ethernet }) => ({
      ifindex,
      mac: parseMac(mac ?? '00:00:00:00:00:00'),
      addresses: facts.addresses.filter((address) => address.ifindex === ifindex).map(({ address }) => address),
      noEthernet: !ethernet,
    })),
  };
}
