import type { Endpoint, PublishedPort } from '../../model/endpoint.ts';
import { entryOf, keyText, type MapEntry } from '../entry.ts';
import { type Publishing, protocolNumbers, publishEntries, trustedEntry } from './published.ts';

/** Which entries one change of a published port sets, and which it removes. */
export interface PublishChange {
  readonly set: readonly MapEntry[];
  readonly remove: readonly MapEntry[];
}

type Addressed = Pick<Endpoint, 'addresses'>;

/**
 * What published ports share: the entries of `bound_ports`, which say how many publishes {port, protocol, family} has, and
 * those of trusted devices. An entry that no port needs any more is removed.
 */
export class PublishCounts {
  readonly #bound = new Map<string, number>();
  readonly #trusted = new Map<string, number>();

  /** What restricts comes before what permits. */
  add(endpoint: Addressed, publishing: Publishing, port: PublishedPort): PublishChange {
    const own = publishEntries(endpoint, publishing, port);
    if (own.length === 0) return { set: [], remove: [] };
    const trusted = trustedEntry(endpoint, publishing, port);
    if (trusted) this.#trusted.set(keyText(trusted.key), (this.#trusted.get(keyText(trusted.key)) ?? 0) + 1);
    const set = trusted ? [...own, trusted] : own;
    if (port.hostPort === 0) return { set, remove: [] };
    const count = (this.#bound.get(boundKey(port)) ?? 0) + 1;
    this.#bound.set(boundKey(port), count);
    return { set: [boundEntry(port, count), ...set], remove: [] };
  }

  remove(endpoint: Addressed, publishing: Publishing, port: PublishedPort): PublishChange {
    const remove = publishEntries(endpoint, publishing, port);
    if (remove.length === 0) return { set: [], remove };
    const trusted = trustedEntry(endpoint, publishing, port);
    if (trusted) {
      const key = keyText(trusted.key);
      const count = (this.#trusted.get(key) ?? 0) - 1;
      if (count > 0) this.#trusted.set(key, count);
      else {
        this.#trusted.delete(key);
        remove.push(trusted);
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
