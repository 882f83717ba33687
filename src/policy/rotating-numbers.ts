/**
 * Numbers of things that come and go. A free one is taken only when all after the last taken have been: what has just been
 * given up still stands in connections and in events.
 */
export class RotatingNumbers {
  readonly #taken = new Set<number>();
  readonly #first: number;
  readonly #last: number;
  #next: number;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    this.#next = first;
  }

  get capacity(): number {
    return this.#last - this.#first + 1;
  }

  /** New numbers begin after those that are known to be in use. */
  skip(numbers: Iterable<number>): void {
    for (const number of numbers) if (number >= this.#next && number < this.#last) this.#next = number + 1;
  }

  /** False: somebody has it, or it is none of these. */
  take(number: number): boolean {
    if (number < this.#first || number > this.#last || this.#taken.has(number)) return false;
    this.#taken.add(number);
    return true;
  }

  /** Undefined: all are taken. */
  allocate(): number | undefined {
    if (this.#taken.size >= this.capacity) return undefined;
    for (;;) {
      const number = this.#next;
      this.#next = number === this.#last ? this.#first : number + 1;
      if (this.take(number)) return number;
    }
  }

  release(number: number): void {
    this.#taken.delete(number);
  }
}
