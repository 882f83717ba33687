import { VetchError } from '../../api/error.ts';
import { IDENTITY_FIRST_LOCAL } from '../decision.ts';
import { RotatingNumbers } from '../rotating-numbers.ts';

/** Numbers of identities. */
export class IdentityNumbers {
  readonly #numbers = new RotatingNumbers(IDENTITY_FIRST_LOCAL, 0xffff);

  /** New numbers begin after those that are known to be in use. */
  skip(numbers: Iterable<number>): void {
    this.#numbers.skip(numbers);
  }

  /** False: somebody has it. */
  take(number: number): boolean {
    return this.#numbers.take(number);
  }

  /** @throws VetchError MAP_FULL */
  allocate(): number {
    const number = this.#numbers.allocate();
    if (number !== undefined) return number;
    throw new VetchError(
      'MAP_FULL',
      `policy tells more than ${this.#numbers.capacity} kinds of peers apart`,
      'select by labels that replicas share, and name fewer address blocks',
    );
  }

  release(number: number): void {
    this.#numbers.release(number);
  }
}
