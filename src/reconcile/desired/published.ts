import { isIPv4, parseAddress, withoutLength } from '../../model/address.ts';
import type { Endpoint, Protocol, PublishedPort } from '../../model/endpoint.ts';
import { entryOf, type MapEntry } from '../entry.ts';
import { isLoopback } from './host-addrs.ts';

export const protocolNumbers: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, sctp: 132 };

/**
 * The entries of one published port. A loopback address goes to `published_lo` alone, which no program at a device
 * reads; a wildcard to both.
 */
export function publishEntries(
  endpoint: Pick<Endpoint, 'addresses'>,
  network: number,
  port: PublishedPort,
): MapEntry[] {
  const host = parseAddress(port.hostAddress);
  const target = endpoint.addresses
    .map((address) => parseAddress(withoutLength(address)))
    .find((address) => isIPv4(address) === isIPv4(host));
  if (target === undefined) return [];
  const key = { addr: host, port: port.hostPort, protocol: protocolNumbers[port.protocol] };
  const value = { addr: target, network, port: port.port, flags: 0 };
  if (isLoopback(host)) return [entryOf('publishedLo', key, value)];
  const published = entryOf('published', key, value);
  return isWildcard(host) ? [published, entryOf('publishedLo', key, value)] : [published];
}

/** How many publishes share {port, protocol, family}; a key that none shares is not in the map. */
export class BoundPorts {
  readonly #counts = new Map<string, number>();
  readonly #ports = new Map<string, PublishedPort>();

  /** The entry as it is now. */
  add(port: PublishedPort): MapEntry {
    const key = boundKey(port);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    this.#ports.set(key, port);
    return boundEntry(port, count);
  }

  /** The entry as it is now; `gone` when it has to be removed from the map. */
  remove(port: PublishedPort): { readonly entry: MapEntry; readonly gone: boolean } {
    const key = boundKey(port);
    const count = Math.max(0, (this.#counts.get(key) ?? 0) - 1);
    if (count > 0) this.#counts.set(key, count);
    else {
      this.#counts.delete(key);
      this.#ports.delete(key);
    }
    return { entry: boundEntry(port, count), gone: count === 0 };
  }

  *entries(): Iterable<MapEntry> {
    for (const [key, port] of this.#ports) yield boundEntry(port, this.#counts.get(key) ?? 0);
  }
}

function boundKey(port: PublishedPort): string {
  return `${port.protocol} ${port.hostPort} ${port.hostAddress.includes(':') ? 6 : 4}`;
}

function boundEntry(port: PublishedPort, publishes: number): MapEntry {
  const key = {
    port: port.hostPort,
    protocol: protocolNumbers[port.protocol],
    family: port.hostAddress.includes(':') ? 6 : 4,
  };
  return entryOf('boundPorts', key, { publishes });
}

function isWildcard(address: Uint8Array): boolean {
  return address.every((byte, i) => byte === 0 || (isIPv4(address) && i < 12));
}
