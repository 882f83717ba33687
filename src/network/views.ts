import type { EndpointView } from '../api/schemas/endpoint.ts';
import type { NetworkView } from '../api/schemas/network.ts';
import type { EndpointPortView, PortView } from '../api/schemas/port.ts';
import { familyOf, withoutLength } from '../model/address.ts';
import type { ClusterEndpoint } from '../model/cluster.ts';
import type { Endpoint, PublishedPort } from '../model/endpoint.ts';
import type { Network } from '../model/network.ts';
import { limitsOf } from './limits-of.ts';

/** `endpoints`: names of the network's endpoints. */
export function networkView(network: Network, endpoints: Iterable<string>): NetworkView {
  const { id, name, driver, subnets, mtu, internal, options, labels } = network;
  return {
    id,
    name,
    driver,
    subnets: subnets.map(({ cidr }) => cidr),
    gateways: subnets.map(({ gateway }) => gateway),
    mtu,
    internal,
    options,
    labels,
    endpoints: [...endpoints].sort(),
  };
}

/** Of an endpoint of another host. @param identity who it is to policy here */
export function remoteView(remote: ClusterEndpoint, network: Network, identity: number): EndpointView {
  const nothing = { number: 0, ifname: '', hostIfname: '', netns: '', options: {}, created: '' };
  return endpointView({ ...nothing, ...remote }, network, identity, remote.node);
}

/** @param identity who it is to policy; @param node the host that it is on */
export function endpointView(endpoint: Endpoint, network: Network, identity: number, node: string): EndpointView {
  const { id, name, ifname, hostIfname, mac, addresses, cgroup, labels, ports } = endpoint;
  const families = addresses.map(familyOf);
  return {
    id,
    name,
    network: network.name,
    node,
    ifname,
    hostIfname,
    mac,
    addresses,
    gateways: network.subnets.map(({ gateway }) => gateway).filter((gateway) => families.includes(familyOf(gateway))),
    ...(cgroup === undefined ? {} : { cgroup }),
    identity,
    rates: limitsOf(endpoint, network),
    labels,
    ports: ports.map(endpointPortView),
  };
}

export function endpointPortView(published: PublishedPort): EndpointPortView {
  const { protocol, hostAddress, hostPort, port } = published;
  return { protocol, hostAddress, hostPort, port, ...scopeOf(published) };
}

function scopeOf(port: PublishedPort): Pick<PublishedPort, 'scope' | 'return'> {
  return {
    ...(port.scope === undefined ? {} : { scope: port.scope }),
    ...(port.return === undefined ? {} : { return: port.return }),
  };
}

/** Each published port beside the endpoint's address of its family. */
export function portViews(
  endpoint: Endpoint,
  network: Network,
  ports: readonly PublishedPort[] = endpoint.ports,
): PortView[] {
  const addresses = endpoint.addresses.map(withoutLength);
  return ports.map((published) => ({
    endpoint: endpoint.name,
    network: network.name,
    ...endpointPortView(published),
    address: addresses.find((address) => familyOf(address) === familyOf(published.hostAddress)) ?? '',
  }));
}
