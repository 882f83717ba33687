import { familyOf } from '../model/address.ts';
import type { Protocol, PublishedPort } from '../model/endpoint.ts';
import { IntervalSet } from './interval-set.ts';

/** Where a port would be bound: of a published port, what the host sees. Host port 0 takes nothing there. */
export type Binding = Pick<PublishedPort, 'protocol' | 'hostAddress' | 'hostPort'>;

/** Who has published which ports of this host. Looking one up does not get slower with their number. */
export class PortTable {
  /** By protocol, port and family, then by host address: who has it. */
  readonly #bound = new Map<string, Map<string, string>>();
  /** By protocol: ports that are published at any address. */
  readonly #ports = new Map<Protocol, IntervalSet>();
  /** By protocol: how many bindings a port has, of both families. */
  readonly #uses = new Map<string, number>();

  /** `holder` is named to whoever wants the same: `frontend/web`. */
  add(binding: Binding, holder: string): void {
    if (binding.hostPort === 0) return;
    const key = keyOf(binding);
    const bound = this.#bound.get(key) ?? new Map<string, string>();
    if (bound.has(binding.hostAddress)) return;
    this.#bound.set(key, bound.set(binding.hostAddress, holder));
    this.#count(binding, 1);
  }

  remove(binding: Binding): void {
    const key = keyOf(binding);
    const bound = this.#bound.get(key);
    if (!bound?.delete(binding.hostAddress)) return;
    if (bound.size === 0) this.#bound.delete(key);
    this.#count(binding, -1);
  }

  /**
   * Who holds what `binding` would take: the same address, or a wildcard on either side. The families are apart, as sockets
   * of IPv6 alone are.
   */
  holder(binding: Binding): string | undefined {
    const bound = this.#bound.get(keyOf(binding));
    if (bound === undefined) return undefined;
    if (isWildcard(binding.hostAddress)) return bound.values().next().value;
    return bound.get(binding.hostAddress) ?? bound.get(familyOf(binding.hostAddress) === 4 ? '0.0.0.0' : '::');
  }

  /** The lowest port of `first` to `last` that nobody has published at any address. */
  lowestFree(protocol: Protocol, first: number, last: number): number | undefined {
    const ports = this.#ports.get(protocol);
    if (ports === undefined) return first <= last ? first : undefined;
    const free = ports.lowestFree(BigInt(first), BigInt(last));
    return free === undefined ? undefined : Number(free);
  }

  #count({ protocol, hostPort }: Binding, change: 1 | -1): void {
    const key = `${protocol} ${hostPort}`;
    const uses = (this.#uses.get(key) ?? 0) + change;
    const ports = this.#ports.get(protocol) ?? new IntervalSet();
    this.#ports.set(protocol, ports);
    if (uses > 0) {
      this.#uses.set(key, uses);
      ports.add(BigInt(hostPort));
    } else {
      this.#uses.delete(key);
      ports.remove(BigInt(hostPort));
    }
  }
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function keyOf({ protocol, hostAddress, hostPort }: Binding): string {
  return `${protocol} ${hostPort} ${hostAddress.includes(':') ? 6 : 4}`;
}
