import type { Endpoint, PublishedPort } from '../../model/endpoint.ts';
import { entryOf, keyText, type MapEntry } from '../entry.ts';
import { ownAddressEntry, type Publishing, protocolNumbers, publishEntries, publishedKey } from './published.ts';

/** Which entries one change of a published port sets, and which it removes. */
export interface PublishChange {
  readonly set: readonly MapEntry[];
  readonly remove: readonly MapEntry[];
}

type Addressed = Pick<Endpoint, 'addresses'>;

/**
 * What published ports share: the entries of `bound_ports`, which say how many publishes {port, protocol, family} has, and
 * those at endpoints' own addresses. An entry that no port needs any more is removed.
 */
export class PublishCounts {
  readonly #bound = new Map<string, number>();
  readonly #ownAddresses = new Map<string, number>();

  /**
   * Whether a port of the host is published already: the same address, or a wildcard on either side; or whether somebody
   * else's address is named, at which something is published.
   *
   * @param has whether `published` has a key
   */
  isTaken(port: PublishedPort, has: (key: Uint8Array) => boolean): boolean {
    if (has(publishedKey(port))) return true;
    if (!this.#bound.has(boundKey(port))) return false;
    const any = familyOf(port) === 6 ? '::' : '0.0.0.0';
    return port.hostAddress === any || has(publishedKey({ ...port, hostAddress: any }));
  }

  /** What restricts comes before what permits. */
  add(endpoint: Addressed, publishing: Publishing, port: PublishedPort): PublishChange {
    const entries = publishEntries(endpoint, publishing, port);
    if (entries.length === 0) return { set: [], remove: [] };
    const own = ownAddressEntry(endpoint, publishing, port);
    if (own) this.#ownAddresses.set(keyText(own.key), (this.#ownAddresses.get(keyText(own.key)) ?? 0) + 1);
    const set = own ? [...entries, own] : entries;
    if (port.hostPort === 0) return { set, remove: [] };
    const count = (this.#bound.get(boundKey(port)) ?? 0) + 1;
    this.#bound.set(boundKey(port), count);
    return { set: [boundEntry(port, count), ...set], remove: [] };
  }

  remove(endpoint: Addressed, publishing: Publishing, port: PublishedPort): PublishChange {
    const remove = publishEntries(endpoint, publishing, port);
    if (remove.length === 0) return { set: [], remove };
    const own = ownAddressEntry(endpoint, publishing, port);
    if (own) {
      const key = keyText(own.key);
      const count = (this.#ownAddresses.get(key) ?? 0) - 1;
      if (count > 0) this.#ownAddresses.set(key, count);
      else {
        this.#ownAddresses.delete(key);
        remove.push(own);
      }
    }
    if (port.hostPort === 0) return { set: [], remove };
    const count = (this.#bound.get(boundKey(port)) ?? 0) - 1;
    if (count > 0) {
      this.#bound.set(boundKey(port), count);
      return { set: [boundEntry(port, count)], remove };
    }
    this.#bound.delete(boundKey(port));
    return { set: [], remove: [...remove, boundEntry(port, 0)] };
  }
}

function boundKey(port: PublishedPort): string {
  return `${port.protocol} ${port.hostPort} ${familyOf(port)}`;
}

function boundEntry(port: PublishedPort, publishes: number): MapEntry {
  const key = { port: port.hostPort, protocol: protocolNumbers[port.protocol], family: familyOf(port) };
  return entryOf('boundPorts', key, { publishes });
}

function familyOf({ hostAddress }: PublishedPort): 4 | 6 {
  return hostAddress.includes(':') ? 6 : 4;
}
