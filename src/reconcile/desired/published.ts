import { encoded } from '../../maps/codec.ts';
import { mapDefinitions, PublishFlag } from '../../maps/generated/abi.ts';
import { isIPv4, parseAddress, withoutLength } from '../../model/address.ts';
import type { Endpoint, Protocol, PublishedPort } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { driverOf } from '../../network/drivers/registry.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import { isLoopback } from './host-addrs.ts';

export const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

/** What a network says about the ports of its endpoints. */
export interface Publishing {
  readonly network: number;
  /** They are reached at the endpoint's own address, too, by trusted devices. */
  readonly trusted: boolean;
  /** The endpoint is on another host. */
  readonly remote: boolean;
}

export function publishingOf(network: Network): Publishing {
  const { trustedInterfaces } = driverOf(network).planNetwork(network);
  return { network: network.number, trusted: trustedInterfaces.length > 0, remote: false };
}

/** Of endpoints on other hosts. */
export function remotePublishingOf({ number }: Pick<Network, 'number'>): Publishing {
  return { network: number, trusted: false, remote: true };
}

/**
 * The entries of one published port that are its own. A loopback address goes to `published_lo` alone, which no program at
 * a device reads; a wildcard to both; what takes no port of the host stands at the endpoint's own address.
 */
export function publishEntries(
  endpoint: Pick<Endpoint, 'addresses'>,
  { network, remote }: Pick<Publishing, 'network' | 'remote'>,
  port: PublishedPort,
): MapEntry[] {
  const host = parseAddress(port.hostAddress);
  const target = targetOf(endpoint, port);
  if (target === undefined) return [];
  if (port.hostPort === 0) return [directEntry(target, network, port, PublishFlag.DIRECT)];
  const key = keyOf(port);
  const straight = port.return === 'direct' ? PublishFlag.STRAIGHT : PublishFlag.NONE;
  const value = { addr: target, network, port: port.port, flags: PublishFlag.NONE };
  // The host's own processes do not reach other hosts' endpoints.
  if (remote) return [entryOf('published', key, { ...value, flags: PublishFlag.REMOTE | straight })];
  if (isLoopback(host)) return [entryOf('publishedLo', key, value)];
  const published = entryOf('published', key, { ...value, flags: straight });
  return isWildcard(host) ? [published, entryOf('publishedLo', key, value)] : [published];
}

/** Key of the map `published`, as it is there. */
export function publishedKey(port: PublishedPort): Uint8Array {
  return encoded(mapDefinitions.published.key, keyOf(port));
}

function keyOf({ hostAddress, hostPort, protocol }: PublishedPort) {
  return { addr: parseAddress(hostAddress), port: hostPort, protocol: protocolNumbers[protocol] };
}

/**
 * Where a port is reached at the endpoint's own address: by trusted devices, or by way of the other hosts. Several ports of
 * the host that lead to one of the endpoint share the entry.
 */
export function ownAddressEntry(
  endpoint: Pick<Endpoint, 'addresses'>,
  { network, trusted, remote }: Publishing,
  port: PublishedPort,
): MapEntry | undefined {
  const byNode = !remote && port.scope === 'cluster';
  const target = (trusted || byNode) && port.hostPort !== 0 ? targetOf(endpoint, port) : undefined;
  const flags = byNode ? PublishFlag.BY_NODE : PublishFlag.DIRECT | PublishFlag.TRUSTED;
  return target && directEntry(target, network, port, flags);
}

function directEntry(addr: Uint8Array, network: number, { port, protocol }: PublishedPort, flags: number): MapEntry {
  return entryOf('published', { addr, port, protocol: protocolNumbers[protocol] }, { addr, network, port, flags });
}

/** The endpoint's address of the port's family. */
function targetOf({ addresses }: Pick<Endpoint, 'addresses'>, { hostAddress }: PublishedPort): Uint8Array | undefined {
  return addresses
    .map((address) => parseAddress(withoutLength(address)))
    .find((address) => isIPv4(address) !== hostAddress.includes(':'));
}

function isWildcard(address: Uint8Array): boolean {
  return address.every((byte, i) => byte === 0 || (isIPv4(address) && i < 12));
}
