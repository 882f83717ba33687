import { InterfaceFlag, RateDirection } from '../../maps/generated/abi.ts';
import type { Endpoint } from '../../model/endpoint.ts';
import type { Network } from '../../model/network.ts';
import { type Rates, ratesOf } from '../../network/rates.ts';
import { entryOf, type MapEntry } from '../entry.ts';

/** How long a silence is made up for, in ns: more than TCP waits before it sends again what was dropped (200 ms). */
const burst = 250_000_000n;

/** An endpoint's two elements of the array `rates`; zeros where there is no limit. */
export function rateEntries(number: number, { ingress, egress }: Rates): MapEntry[] {
  const entry = (direction: number, bits: number | undefined) =>
    entryOf(
      'rates',
      2 * number + direction,
      bits === undefined ? { bits: 0n, burst: 0n } : { bits: BigInt(bits), burst },
    );
  return [entry(RateDirection.EGRESS, egress), entry(RateDirection.INGRESS, ingress)];
}

/** What a sender's entry says of its limits. */
export function limitFlags({ ingress, egress }: Rates): number {
  return (
    (ingress === undefined ? InterfaceFlag.NONE : InterfaceFlag.INGRESS_LIMITED) |
    (egress === undefined ? InterfaceFlag.NONE : InterfaceFlag.EGRESS_LIMITED)
  );
}

/** Which endpoints may not receive all that is sent to them: as long as there are none, no packet pays. */
export class IngressLimits {
  readonly #numbers = new Set<number>();

  get any(): boolean {
    return this.#numbers.size > 0;
  }

  /** @returns whether `any` has changed */
  note(endpoint: Endpoint, network: Network): boolean {
    const { any } = this;
    if (ratesOf(endpoint, network).ingress === undefined) this.#numbers.delete(endpoint.number);
    else this.#numbers.add(endpoint.number);
    return any !== this.any;
  }

  /** @returns whether `any` has changed */
  forget(endpoint: Endpoint): boolean {
    return this.#numbers.delete(endpoint.number) && !this.any;
  }

  clear(): void {
    this.#numbers.clear();
  }
}
