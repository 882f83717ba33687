import { InterfaceFlag, RateDirection } from '../../maps/generated/abi.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { type Rates, ratesOf } from '../../network/rates.ts';
import { entryOf, type MapEntry } from '../entry.ts';

/** How long a silence is made up for, in ns: more than TCP waits before it sends again what was dropped (200 ms). */
const burst = 250_000_000n;

/** How much may wait: as long as no connection minds, but no more memory than this, in bits; and always some packets. */
const [longest, mostWaiting, someTrains] = [100_000_000, 8 * 8 * 2 ** 20, 8 * 4 * 65_536];

/** ns. */
function queueOf(bits: number): bigint {
  const ns = (waiting: number) => Math.round((waiting * 1e9) / bits);
  return BigInt(Math.max(Math.min(longest, ns(mostWaiting)), Math.min(1e9, ns(someTrains))));
}

/** An endpoint's two elements of the array `rates`; zeros where there is no limit. */
export function rateEntries(number: number, { ingress, egress }: Rates): MapEntry[] {
  return [rateEntry(2 * number + RateDirection.EGRESS, egress), rateEntry(2 * number + RateDirection.INGRESS, ingress)];
}

function rateEntry(index: number, bits: number | undefined): MapEntry {
  if (bits === undefined) return entryOf('rates', index, { bits: 0n, burst: 0n, queue: 0n });
  return entryOf('rates', index, { bits: BigInt(bits), burst, queue: queueOf(bits) });
}

/** What a sender's entry says of its limits. */
export function limitFlags({ ingress, egress }: Rates): number {
  return (
    (ingress === undefined ? InterfaceFlag.NONE : InterfaceFlag.INGRESS_LIMITED) |
    (egress === undefined ? InterfaceFlag.NONE : InterfaceFlag.EGRESS_LIMITED)
  );
}

/** Which endpoints have limits: as long as there are none, no packet pays. */
export class Limits {
  readonly #ingress = new Set<number>();
  /** Ifindex of where packets wait that are delayed; 0: nowhere, they are dropped. */
  shaper = 0;

  /** Whether some endpoint may not receive all that is sent to it. */
  get ingress(): boolean {
    return this.#ingress.size > 0;
  }

  /** @returns whether `ingress` has changed */
  note(endpoint: Endpoint, network: Network): boolean {
    const before = this.ingress;
    if (ratesOf(endpoint, network).ingress === undefined) this.#ingress.delete(endpoint.number);
    else this.#ingress.add(endpoint.number);
    return before !== this.ingress;
  }

  /** @returns whether `ingress` has changed */
  forget(endpoint: Endpoint): boolean {
    return this.#ingress.delete(endpoint.number) && !this.ingress;
  }

  clear(): void {
    this.#ingress.clear();
  }
}
