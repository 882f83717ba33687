/**
 * Numbers of things that come and go. A free one is taken only when all after the last taken have been: what has just been
 * given up still stands in connections and in events.
 */
export class RotatingNumbers {
  /** By number, less the first; 1: somebody has it. */
  readonly #taken: Uint8Array;
  #count = 0;
  readonly #first: number;
  readonly #last: number;
  #next: number;

  constructor(first: number, last: number) {
    this.#first = first;
    this.#last = last;
    this.#next = first;
    this.#taken = new Uint8Array(this.capacity);
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
    if (number < this.#first || number > this.#last || this.#taken[number - this.#first] === 1) return false;
    this.#taken[number - this.#first] = 1;
    this.#count++;
    return true;
  }

  /** Undefined: all are taken. */
  allocate(): number | undefined {
    if (this.#count >= this.capacity) return undefined;
    for (;;) {
      const number = this.#next;
      this.#next = number === this.#last ? this.#first : number + 1;
      if (this.take(number)) return number;
    }
  }

  release(number: number): void {
    if (this.#taken[number - this.#first] !== 1) return;
    this.#taken[number - this.#first] = 0;
    this.#count--;
  }
}
