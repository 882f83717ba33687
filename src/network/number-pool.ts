import { VetchError } from '../api/error.ts';
import { IntervalSet } from './interval-set.ts';

/** Small dense numbers, the lowest free one first: indexes of arrays that the datapath reads. */
export class NumberPool {
  readonly #taken = new IntervalSet();
  readonly #what: string;
  readonly #first: number;
  readonly #last: number;

  /** `what` names the numbered objects in the refusal: `networks`. */
  constructor(what: string, first: number, last: number) {
    this.#what = what;
    this.#first = first;
    this.#last = last;
  }

  /** Does not take it. @throws VetchError MAP_FULL */
  next(): number {
    const free = this.#taken.lowestFree(BigInt(this.#first), BigInt(this.#last));
    if (free !== undefined) return Number(free);
    const capacity = this.#last - this.#first + 1;
    throw new VetchError(
      'MAP_FULL',
      `this host has ${capacity} ${this.#what}, which is as many as it can have`,
      `remove ${this.#what} that are no longer needed`,
    );
  }

  take(number: number): void {
    this.#taken.add(BigInt(number));
  }

  release(number: number): void {
    this.#taken.remove(BigInt(number));
  }
}
