/** One at a time, in the order of the calls. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.#last.then(work);
    // Nobody keeps what it gave: that may be all of a cluster.
    this.#last = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  /** Resolves when all that was asked for so far is done. */
  get done(): Promise<void> {
    return this.#last.then(() => undefined);
  }
}
