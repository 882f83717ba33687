import { VetchError } from '../api/error.ts';
import type { Subnet } from '../model/network.ts';
import { IntervalSet } from './interval-set.ts';
import { addressNumber, contains, numberAddress, type Span, spanOf } from './span.ts';

/**
 * The addresses of one subnet: which may be handed out, and which are.
 *
 * Finding, taking and releasing one does not get slower with the number of endpoints. Automatic addresses are the lowest
 * free ones of the range. The network and broadcast addresses (IPv6: the subnet-router anycast address, RFC 4291 2.6.1),
 * the gateway and the auxiliary addresses belong to no endpoint, asked for or not; a subnet of two addresses (RFC 3021,
 * RFC 6164) has neither network nor broadcast address.
 */
export class AddressPool {
  readonly cidr: string;
  /** How many addresses its range has, as far as that can be counted. */
  readonly size: number;
  /** How many of them are handed out unasked, taken or not: those that are kept for nothing. */
  readonly capacity: number;
  readonly #span: Span;
  readonly #range: Span;
  /** By address: what it is kept for. */
  readonly #reserved = new Map<bigint, string>();
  readonly #taken = new IntervalSet();

  constructor(subnet: Subnet) {
    this.cidr = subnet.cidr;
    this.#span = spanOf(subnet.cidr);
    this.#range = spanOf(subnet.range ?? subnet.cidr);
    for (const [number, purpose] of edges(this.#span)) this.#reserved.set(number, purpose);
    for (const [name, address] of Object.entries(subnet.aux)) {
      this.#reserved.set(addressNumber(address), `the auxiliary address '${name}'`);
    }
    this.#reserved.set(addressNumber(subnet.gateway), 'the gateway');
    for (const number of this.#reserved.keys()) this.#taken.add(number);
    this.size = Number(this.#range.last - this.#range.first) + 1;
    this.capacity = this.size - [...this.#reserved.keys()].filter((number) => contains(this.#range, number)).length;
  }

  /** Whether an automatic address is left. */
  get full(): boolean {
    return this.#taken.lowestFree(this.#range.first, this.#range.last) === undefined;
  }

  /** The lowest free address, without prefix length. Does not take it. @throws VetchError ADDRESS_TAKEN: none is free */
  next(): string {
    const free = this.#taken.lowestFree(this.#range.first, this.#range.last);
    if (free !== undefined) return numberAddress(free);
    throw new VetchError(
      'ADDRESS_TAKEN',
      `no address of ${this.cidr} is free to be handed out`,
      'detach endpoints that are no longer needed, or use a network with a larger subnet',
    );
  }

  /** Whether it may be handed out unasked, were it free. */
  isAutomatic(address: string): boolean {
    return contains(this.#range, addressNumber(address));
  }

  /**
   * Up to `count` free addresses, without prefix length: those from `skip` after `after` on, and then from the range's
   * beginning. Takes none.
   *
   * @param after absent: from the range's beginning
   */
  free(count: number, after?: string, skip = 0): string[] {
    const { first, last } = this.#range;
    const before = after === undefined ? first - 1n : addressNumber(after);
    const size = last - first + 1n;
    const start = first + ((((before - first + 1n + BigInt(skip)) % size) + size) % size);
    const found: string[] = [];
    const collect = (from: bigint, to: bigint): void => {
      let free = this.#taken.lowestFree(from, to);
      while (free !== undefined && found.length < count) {
        found.push(numberAddress(free));
        free = this.#taken.lowestFree(free + 1n, to);
      }
    };
    collect(start, last);
    collect(first, start - 1n);
    return found;
  }

  /** @throws VetchError ADDRESS_OUTSIDE_POOL or ADDRESS_TAKEN: why no endpoint may have it */
  check(address: string): void {
    const number = addressNumber(address);
    if (!contains(this.#span, number)) {
      throw new VetchError(
        'ADDRESS_OUTSIDE_POOL',
        `address ${address} is outside ${this.cidr}`,
        `choose an address of ${this.cidr}, or none for an automatic one`,
      );
    }
    const purpose = this.#reserved.get(number);
    if (purpose === undefined && !this.#taken.has(number)) return;
    throw new VetchError(
      'ADDRESS_TAKEN',
      `address ${address} of ${this.cidr} is ${purpose ?? 'in use'}`,
      'choose another address, or none for an automatic one',
    );
  }

  /** One outside the subnet is ignored: whoever knows an address that is in use need not know whose subnet it is in. */
  take(address: string): void {
    this.takeNumber(addressNumber(address));
  }

  /** Likewise, by its number. */
  takeNumber(number: bigint): void {
    if (contains(this.#span, number)) this.#taken.add(number);
  }

  /** What is reserved stays taken. */
  release(address: string): void {
    const number = addressNumber(address);
    if (!this.#reserved.has(number)) this.#taken.remove(number);
  }
}

/** The addresses of a subnet that no host may have. */
export function edges(span: Span): [bigint, string][] {
  if (span.hostBits < 2) return [];
  if (span.family === 6) return [[span.first, 'the subnet-router anycast address']];
  return [
    [span.first, 'the network address'],
    [span.last, 'the broadcast address'],
  ];
}
