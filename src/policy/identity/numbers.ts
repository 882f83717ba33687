import { VetchError } from '../../api/error.ts';
import { IDENTITY_FIRST_LOCAL } from '../decision.ts';

const last = 0xffff;

/**
 * Numbers of identities. A free one is taken only when all after the last taken have been: what has just been given up
 * still stands in connections and in events.
 */
export class IdentityNumbers {
  readonly #taken = new Set<number>();
  #next = IDENTITY_FIRST_LOCAL;

  /** New numbers begin after those that are known to be in use. */
  skip(numbers: Iterable<number>): void {
    for (const number of numbers) if (number >= this.#next && number < last) this.#next = number + 1;
  }

  /** False: somebody has it. */
  take(number: number): boolean {
    if (this.#taken.has(number)) return false;
    this.#taken.add(number);
    return true;
  }

  /** @throws VetchError MAP_FULL */
  allocate(): number {
    for (let tried = IDENTITY_FIRST_LOCAL; tried <= last; tried++) {
      const number = this.#next;
      this.#next = number === last ? IDENTITY_FIRST_LOCAL : number + 1;
      if (this.take(number)) return number;
    }
    throw new VetchError(
      'MAP_FULL',
      `policy tells more than ${last - IDENTITY_FIRST_LOCAL + 1} kinds of peers apart`,
      'select by labels that replicas share, and name fewer address blocks',
    );
  }

  release(number: number): void {
    this.#taken.delete(number);
  }
}
