/**
 * How much goes on at once: in all, and for one asker, so that one cannot take what the others need. Nor can many
 * together: who holds as many places as are still free gets no more, so that N greedy ones leave 1 / (N + 1) of all
 * free for others.
 */
export class Limiter {
  readonly #total: number;
  readonly #each: number;
  readonly #running = new Map<string, number>();
  #all = 0;

  constructor(total: number, each: number) {
    this.#total = total;
    this.#each = each;
  }

  get running(): number {
    return this.#all;
  }

  /** Gives what gives the place back, to be called once; undefined when there is none. */
  enter(who: string): (() => void) | undefined {
    const own = this.#running.get(who) ?? 0;
    if (own >= Math.min(this.#each, this.#total - this.#all)) return undefined;
    this.#all++;
    this.#running.set(who, own + 1);
    return () => {
      this.#all--;
      const left = (this.#running.get(who) ?? 1) - 1;
      if (left === 0) this.#running.delete(who);
      else this.#running.set(who, left);
    };
  }
}
